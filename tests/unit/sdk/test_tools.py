"""The tool monitor."""

from __future__ import annotations

import asyncio
import functools

import pytest

from runwatch.sdk.tools import ToolMonitor
from sdk_recording import Recording


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


def fail() -> None:
    raise ValueError("no such file")


def test_plain_functions_are_called_and_coroutines_awaited(recording: Recording) -> None:
    monitor = ToolMonitor()

    async def work() -> None:
        assert await monitor.track_tool_call("double", double, 4) == 8
        assert await monitor.track_tool_call("double", functools.partial(double, number=5)) == 10
        assert await monitor.track_tool_call("length", len, "abc") == 3
        with pytest.raises(ValueError, match="no such file"):
            await monitor.track_tool_call("fail", fail)

    asyncio.run(work())
    stats = monitor.tool_stats
    assert (stats["double"]["calls"], stats["double"]["successes"], stats["double"]["failures"]) == (2, 2, 0)
    assert stats["double"]["total_duration"] > 0
    assert (stats["fail"]["failures"], stats["fail"]["errors"]) == (1, ["ValueError: no such file"])
    completed = [(event["tool"], event.get("success", True)) for event in recording.events("tool.completed")]
    assert completed == [("double", True), ("double", True), ("length", True), ("fail", False)]


def test_the_counts_work_without_a_run() -> None:
    monitor = ToolMonitor()
    asyncio.run(monitor.track_tool_call("length", len, "abc"))
    assert monitor.tool_stats["length"]["calls"] == 1
    monitor.tool_stats["length"]["calls"] = 99
    assert monitor.tool_stats["length"]["calls"] == 1, "what is given out is a copy"


def test_a_tools_own_arguments_may_have_any_name() -> None:
    monitor = ToolMonitor()

    def find(*args: object, **named: object) -> tuple[object, ...]:
        return (*args, named)

    async def program() -> None:
        assert await monitor.track_tool_call("t", find, 1, name="x", func="y", self="z") == (
            1, {"name": "x", "func": "y", "self": "z"},
        )  # fmt: skip
        assert await monitor.track_tool_call("t", func=find, name="x") == ({"name": "x"},)
        assert await monitor.track_tool_call(name="t", func=find, limit=3) == ({"limit": 3},)
        for wrong in ({}, {"name": "t"}):
            with pytest.raises(TypeError, match="needs a name and a function"):
                await monitor.track_tool_call(**wrong)

    asyncio.run(program())
    assert (monitor.tool_stats["t"]["calls"], monitor.tool_stats["t"]["failures"]) == (3, 0)
