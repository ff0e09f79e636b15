"""Tool and service calls: blocks and decorators, plain and asynchronous."""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
from collections.abc import AsyncGenerator, Generator

import pytest

from runwatch.sdk.calls import service, tool
from runwatch.sdk.llm import llm_metrics
from sdk_recording import Recording


def test_a_block_is_a_call(recording: Recording) -> None:
    with tool("grep"):
        pass
    with pytest.raises(KeyError), tool("grep"):
        raise KeyError("x")
    started, first, _, second = recording.events()
    assert (started["type"], started["tool"], first["call_id"]) == ("tool.started", "grep", started["call_id"])
    assert "success" not in first
    assert (second["success"], second["error"]) == (False, "KeyError: 'x'")


def test_a_decorated_function_stays_what_it_was(recording: Recording) -> None:
    @tool("add")
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @tool("slow")
    async def slow(a: int) -> int:
        await asyncio.sleep(0)
        return a

    assert add(1) == 3
    assert add.__doc__ == "Add."
    assert inspect.iscoroutinefunction(slow)
    assert asyncio.run(slow(4)) == 4
    assert [event["tool"] for event in recording.events("tool.completed")] == ["add", "slow"]


def test_a_decorated_generator_is_a_call_until_its_end(recording: Recording) -> None:
    @tool("count")
    def count(most: int) -> Generator[int, int | None, str]:
        for number in range(most):
            if (yield number) == 7:
                raise ValueError("seven")
        return "done"

    def whole() -> Generator[int, int | None, str]:
        return (yield from count(2))

    reader = whole()
    assert next(reader) == 0
    assert recording.types() == ["tool.started"], "it goes on"
    assert next(reader) == 1
    with pytest.raises(StopIteration, match="done"):
        next(reader)
    failing = count(2)
    next(failing)
    with pytest.raises(ValueError, match="seven"):
        failing.send(7)
    left = count(2)
    next(left)
    left.close()
    ends = recording.events("tool.completed")
    assert [(event.get("success", True), event.get("error")) for event in ends] == [
        (True, None), (False, "ValueError: seven"), (True, None),
    ]  # fmt: skip


def test_a_decorated_asynchronous_generator_is_a_call_until_its_end(recording: Recording) -> None:
    closed: list[int] = []

    @tool("stream")
    async def stream(most: int) -> AsyncGenerator[int | str, int | None]:
        try:
            for number in range(most):
                try:
                    if (yield number) == 7:
                        raise ValueError("seven")
                except KeyError:
                    yield "handled"
        finally:
            closed.append(most)

    async def work() -> None:
        assert [item async for item in stream(2)] == [0, 1]
        failing = stream(3)
        await anext(failing)
        with pytest.raises(ValueError, match="seven"):
            await failing.asend(7)
        left = stream(4)
        await anext(left)
        assert await left.athrow(KeyError("x")) == "handled"
        await left.aclose()

    asyncio.run(work())
    assert closed == [2, 3, 4]
    assert [event.get("success", True) for event in recording.events("tool.completed")] == [True, False, True]


def test_a_decorated_coroutine_that_fails_is_a_failed_call(recording: Recording) -> None:
    @tool("slow")
    async def slow() -> None:
        await asyncio.sleep(0)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(slow())
    assert recording.events("tool.completed")[0]["success"] is False


def test_an_asynchronous_block_works_too(recording: Recording) -> None:
    async def work() -> None:
        async with tool("fetch"), service("api", "get") as api:
            api.retry(TimeoutError("late"), 0.5)

    asyncio.run(work())
    assert recording.types() == [
        "tool.started", "service.started", "service.retry", "service.completed", "tool.completed",
    ]  # fmt: skip


def test_retries_of_a_service_are_numbered(recording: Recording) -> None:
    with service("repo_pool", "clone") as clone:
        clone.retry("connection reset", 0.5)
        clone.retry("again", 1)
    started, one, two, completed = recording.events()
    assert [event["attempt"] for event in (one, two)] == [1, 2]
    assert (one["backoff_s"], one["error"], one["service"]) == (0.5, "connection reset", "repo_pool")
    assert {event["call_id"] for event in (one, two, completed)} == {started["call_id"]}
    assert completed["operation"] == "clone"


def test_a_retry_outside_the_block_is_a_warning(recording: Recording) -> None:
    service("x", "y").retry("no", 1)
    assert recording.types() == ["warning"]


def test_one_object_may_be_nested(recording: Recording) -> None:
    grep = tool("grep")
    with grep, grep:
        pass
    ids = [event["call_id"] for event in recording.events()]
    assert ids == [ids[0], ids[1], ids[1], ids[0]]


def test_tasks_that_share_one_object_end_their_own_calls(recording: Recording) -> None:
    shared = service("store", "get")

    async def first(entered: asyncio.Event) -> None:
        async with shared:
            await entered.wait()
            shared.retry("busy")
            raise TimeoutError

    async def both() -> None:
        entered = asyncio.Event()
        task = asyncio.create_task(first(entered))
        await asyncio.sleep(0)
        async with shared:
            entered.set()
            await asyncio.wait([task])

    asyncio.run(both())
    begun = [event["call_id"] for event in recording.events("service.started")]
    ended = {event["call_id"]: event.get("success", True) for event in recording.events("service.completed")}
    assert ended == {begun[0]: False, begun[1]: True}
    assert [event["call_id"] for event in recording.events("service.retry")] == [begun[0]]


def test_a_call_while_another_thread_imports_asyncio_is_a_call(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncio", types.ModuleType("asyncio"))  # as long as its import is under way
    with tool("grep"):
        pass
    with pytest.raises(KeyError), llm_metrics.track_request("m", "p"):
        raise KeyError
    assert recording.types() == ["tool.started", "tool.completed", "llm.started", "llm.completed"]
