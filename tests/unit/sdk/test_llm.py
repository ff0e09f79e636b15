"""Tracked model requests."""

from __future__ import annotations

import asyncio
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
