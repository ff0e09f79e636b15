"""Debugging cycles."""

from __future__ import annotations

import asyncio

import pytest

from runwatch.sdk.issues import IssueTracker
from sdk_recording import Recording


@pytest.fixture
def issue(recording: Recording) -> IssueTracker:
    return IssueTracker(recording.paths.run_id, 123)


def test_a_cycle_holds_its_attempts(recording: Recording, issue: IssueTracker) -> None:
    issue.start_debugging_cycle("testing", "test_failure", "2 failed")
    issue.record_debug_attempt()
    issue.record_debug_attempt()
    issue.end_debugging_cycle(True, method="patch")
    started, one, two, completed = recording.events("debug.started", "debug.attempt", "debug.completed")
    assert len({event["cycle"] for event in (started, one, two, completed)}) == 1
    assert (started["error_type"], started["error_message"], started["agent"]) == (
        "test_failure",
        "2 failed",
        "testing",
    )
    assert (completed["resolved"], completed["method"], completed["agent"]) == (True, "patch", "testing")


def test_attempts_belong_to_the_cycle_that_was_begun_last(recording: Recording, issue: IssueTracker) -> None:
    with issue.debugging("testing", "a", "") as outer:
        with issue.debugging("testing", "b", ""):
            issue.record_debug_attempt()
        issue.record_debug_attempt()
        outer.attempt()
    first, second = (event["cycle"] for event in recording.events("debug.started"))
    assert [event["cycle"] for event in recording.events("debug.attempt")] == [second, first, first]


def test_a_block_resolves_unless_told_otherwise(recording: Recording, issue: IssueTracker) -> None:
    with issue.debugging("t", "a", "") as cycle:
        cycle.resolve("revert")
    with issue.debugging("t", "b", "") as cycle:
        cycle.give_up()
    with pytest.raises(ValueError, match="x"), issue.debugging("t", "c", ""):
        raise ValueError("x")
    with issue.debugging("t", "d", ""):
        issue.end_debugging_cycle(False)
    found = [(event.get("resolved", False), event.get("method")) for event in recording.events("debug.completed")]
    assert found == [(True, "revert"), (False, None), (False, None), (False, None)]


def test_attempts_and_ends_outside_a_cycle_are_warnings(recording: Recording, issue: IssueTracker) -> None:
    issue.record_debug_attempt()
    issue.end_debugging_cycle(True)
    assert recording.types() == ["issue.started", "warning", "warning"]


def test_cycles_of_several_tasks_do_not_mix(recording: Recording, issue: IssueTracker) -> None:
    async def work(number: int) -> None:
        issue.start_debugging_cycle("testing", str(number), "")
        await asyncio.sleep(0)
        with issue.debugging("testing", f"inner {number}", ""):
            await asyncio.sleep(0)
            issue.record_debug_attempt()
        issue.record_debug_attempt()
        await asyncio.sleep(0)
        issue.end_debugging_cycle(number != 1, method=str(number))

    async def all_of_them() -> None:
        await asyncio.gather(*(work(number) for number in range(3)))

    asyncio.run(all_of_them())
    kinds = {event["cycle"]: event["error_type"] for event in recording.events("debug.started")}
    assert sorted(kinds[event["cycle"]] for event in recording.events("debug.attempt")) == sorted(kinds.values())
    ends = {
        event["method"]: kinds[event["cycle"]] for event in recording.events("debug.completed") if "method" in event
    }
    assert ends == {"0": "0", "1": "1", "2": "2"}
