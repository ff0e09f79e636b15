"""Tracked model requests."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from runwatch.sdk.llm import llm_metrics, result_of
from sdk_recording import Recording


def test_a_request_is_one_started_and_one_completed(recording: Recording) -> None:
    with llm_metrics.track_request("gpt-4o", "openai") as request:
        request.update(prompt_tokens=12, completion_tokens=5, cost=0.125, request_id="r1", cache_read_tokens=3, junk=1)
    started, completed = recording.events()
    assert (started["type"], started["model"], started["provider"]) == ("llm.started", "gpt-4o", "openai")
    assert completed["call_id"] == started["call_id"]
    assert (completed["prompt_tokens"], completed["completion_tokens"], completed["cost_usd"]) == (12, 5, 0.125)
    assert (completed["request_id"], completed["cache_read_tokens"], completed["source"]) == ("r1", 3, "sdk")
    assert "result" not in completed, "success is the default"
    assert "junk" not in completed


def test_a_call_of_an_unknown_model_names_none(recording: Recording) -> None:
    with llm_metrics.track_request("unknown", " ") as request:
        request.update(prompt_tokens=1, model="None")
    for event in recording.events("llm.started", "llm.completed"):
        assert not {"model", "provider"} & event.keys(), "it is of the run's model"


class RateLimitError(Exception):
    pass


class APITimeoutError(Exception):
    pass


class HttpError(Exception):
    def __init__(self, status_code: int) -> None:
        super().__init__()
        self.status_code = status_code


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (RateLimitError("slow down"), "rate_limit"),
        (HttpError(429), "rate_limit"),
        (APITimeoutError("late"), "timeout"),
        (TimeoutError(), "timeout"),
        (HttpError(500), "error"),
        (ValueError("x"), "error"),
        (ExceptionGroup("all late", [TimeoutError(), ExceptionGroup("", [APITimeoutError("late")])]), "timeout"),
        (ExceptionGroup("all turned away", [RateLimitError("slow down")]), "rate_limit"),
        (ExceptionGroup("of all kinds", [TimeoutError(), ValueError("x")]), "error"),
    ],
)
def test_an_exception_is_told_apart_and_goes_on(recording: Recording, error: Exception, result: str) -> None:
    assert result_of(error) == result
    with pytest.raises(type(error)), llm_metrics.track_request("m", "p"):
        raise error
    completed = recording.events("llm.completed")[0]
    assert completed["result"] == result
    assert completed["error"].startswith(type(error).__name__)


@pytest.mark.parametrize(
    ("said", "result"), [("rate_limit", "rate_limit"), ("FAILED", "error"), ("timeout", "timeout")]
)
def test_a_result_that_the_program_states_counts(recording: Recording, said: str, result: str) -> None:
    with llm_metrics.track_request("m", "p") as request:
        request["result"] = said
    assert recording.events("llm.completed")[0]["result"] == result


def test_a_result_that_nobody_knows_is_a_warning(recording: Recording) -> None:
    with llm_metrics.track_request("m", "p") as request:
        request["result"] = "meh"
    assert recording.types() == ["llm.started", "warning", "llm.completed"]


def test_requests_of_many_tasks_pair_up(recording: Recording) -> None:
    async def one(number: int) -> None:
        with llm_metrics.track_request(f"m{number}", "p"):
            await asyncio.sleep(0)

    async def several() -> None:
        await asyncio.gather(*(one(number) for number in range(5)))

    asyncio.run(several())
    models: dict[str, Any] = {event["call_id"]: event["model"] for event in recording.events("llm.started")}
    assert {event["call_id"]: event["model"] for event in recording.events("llm.completed")} == models
    assert len(models) == 5


@pytest.mark.parametrize("around", [1, 2])
def test_a_request_that_a_time_limit_of_asyncio_cuts_short_is_a_timeout(recording: Recording, around: int) -> None:
    async def ask() -> None:
        limits = [asyncio.timeout(60), asyncio.timeout(0.01)][-around:]
        async with contextlib.AsyncExitStack() as stack:
            for limit in limits:
                await stack.enter_async_context(limit)
            with llm_metrics.track_request("m", "p"):
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    assert recording.events("llm.completed")[0]["result"] == "timeout"


def test_so_is_one_that_wait_for_cuts_short(recording: Recording) -> None:
    async def ask() -> None:
        with llm_metrics.track_request("m", "p"):
            await asyncio.Event().wait()

    async def wait() -> None:
        await asyncio.wait_for(ask(), 0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    assert recording.events("llm.completed")[0]["result"] == "timeout"


@pytest.mark.parametrize("is_waited_for", [False, True])
def test_a_request_that_the_program_cancels_is_no_timeout(recording: Recording, is_waited_for: bool) -> None:
    async def ask(begun: asyncio.Event) -> None:
        async with asyncio.timeout(60):
            with llm_metrics.track_request("m", "p"):
                begun.set()
                await asyncio.Event().wait()

    async def give_up() -> None:
        begun = asyncio.Event()
        asking = asyncio.create_task(asyncio.wait_for(ask(begun), 60) if is_waited_for else ask(begun))
        await begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(give_up())
    assert recording.events("llm.completed")[0]["result"] == "error"


@pytest.mark.parametrize(
    ("name", "value"),
    [("cost", float("nan")), ("cost", "dear"), ("completion_tokens", 1200.5), ("total_tokens", True), ("attempt", [])],
)
def test_one_bad_value_leaves_the_rest_of_a_call_and_its_success(
    recording: Recording, capsys: pytest.CaptureFixture[str], name: str, value: object
) -> None:
    for _ in range(2):
        with llm_metrics.track_request("m", "p") as request:
            request.update({"prompt_tokens": 1200.0, name: value})
    for event in recording.events("llm.completed"):
        assert (event["prompt_tokens"], event.get("result", "success")) == (1200, "success")
        assert not {name, "cost_usd"} & event.keys()
    (warning,) = recording.events("warning")
    assert f"{name} is {str(value)!r}" in warning["message"]
    assert capsys.readouterr().err.count(name) == 1


def test_the_mapping_takes_the_names_that_clients_have_for_tokens(recording: Recording) -> None:
    with llm_metrics.track_request("m", "p") as request:
        request.update(input_tokens=10, output_tokens=5, cache_read_input_tokens=80, estimated_cost=0.5)
    with llm_metrics.track_request("m", "p") as request:
        request["usage"] = {"prompt_tokens": 3, "completion_tokens": 4}
    with llm_metrics.track_request("m", "p") as request:
        request.update(promt_tokens=3, max_tokens=100)
    first, second, third = recording.events("llm.completed")
    assert (first["prompt_tokens"], first["completion_tokens"], first["cost_usd"]) == (90, 5, 0.5)
    assert (second["prompt_tokens"], second["completion_tokens"]) == (3, 4)
    assert (third["max_tokens"], "prompt_tokens" in third) == (100, False)
    (warning,) = recording.events("warning")
    assert "promt_tokens" in warning["message"]


def test_what_counters_gain_inside_a_block_is_the_blocks_together(recording: Recording) -> None:
    about = {"model": "m", "provider": "p"}
    with llm_metrics.track_request("m", "p"):
        for _ in range(3):
            llm_metrics.tokens.labels(**about, kind="completion").inc(10)
            llm_metrics.cost.labels(**about).inc(0.25)
    (event,) = recording.events("llm.completed", "metric.observed")
    assert (event["completion_tokens"], event["cost_usd"]) == (30, 0.75)
