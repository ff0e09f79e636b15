"""Attempts of agents: numbers, context, misuse."""

from __future__ import annotations

import asyncio

import pytest

from runwatch.sdk.issues import IssueTracker
from sdk_recording import Recording


@pytest.fixture
def issue(recording: Recording) -> IssueTracker:
    return IssueTracker(recording.paths.run_id, 123)


def test_attempts_are_numbered_for_each_agent_of_an_issue(recording: Recording, issue: IssueTracker) -> None:
    issue.start_agent("coding")
    issue.end_agent("coding", False, error=ValueError("no"))
    issue.start_agent("testing", max_attempts=3)
    issue.end_agent("testing", True)
    issue.start_agent("coding")
    issue.end_agent("coding", success=True)
    started = [(event["agent"], event["attempt"]) for event in recording.events("agent.started")]
    assert started == [("coding", 1), ("testing", 1), ("coding", 2)]
    first, second, third = recording.events("agent.completed")
    assert (first["success"], first["error"], first["attempt"]) == (False, "ValueError: no", 1)
    assert "success" not in second, "true is the default"
    assert (third["attempt"], third["issue"]) == (2, 123)
    pairs = [event["call_id"] for event in recording.events("agent.started", "agent.completed")]
    assert pairs == [pairs[0], pairs[0], pairs[2], pairs[2], pairs[4], pairs[4]]


def test_what_happens_during_an_attempt_is_the_agents(recording: Recording, issue: IssueTracker) -> None:
    recording.emitter.emit("error", {"message": "before"})
    issue.start_agent("coding")
    recording.emitter.emit("error", {"message": "during"})
    with issue.agent("review"):
        recording.emitter.emit("error", {"message": "inner"})
    recording.emitter.emit("error", {"message": "during"})
    issue.end_agent("coding", True)
    recording.emitter.emit("error", {"message": "after"})
    places = [(event.get("issue"), event.get("agent")) for event in recording.events("error")]
    assert places == [(None, None), (123, "coding"), (123, "review"), (123, "coding"), (None, None)]


def test_an_exception_is_a_failed_attempt_and_goes_on(recording: Recording, issue: IssueTracker) -> None:
    with pytest.raises(RuntimeError), issue.agent("coding"):
        raise RuntimeError("broken")
    with issue.agent("coding") as attempt:
        attempt.fail("two checks failed")
    first, second = recording.events("agent.completed")
    assert (first["success"], first["error"]) == (False, "RuntimeError: broken")
    assert (second["success"], second["error"], second["attempt"]) == (False, "two checks failed", 2)


def test_ending_an_agent_that_never_started_is_a_warning(recording: Recording, issue: IssueTracker) -> None:
    issue.end_agent("nobody", True)
    (warning,) = recording.events("warning")
    assert "nobody" in warning["message"]
    assert not recording.events("agent.completed")


def test_starting_an_agent_twice_is_a_warning(recording: Recording, issue: IssueTracker) -> None:
    issue.start_agent("coding")
    issue.start_agent("coding")
    issue.end_agent("coding", True)
    assert len(recording.events("warning")) == 1
    assert [event["attempt"] for event in recording.events("agent.completed")] == [2]


def test_agents_of_two_tasks_do_not_mix(recording: Recording) -> None:
    async def work(number: int) -> None:
        with IssueTracker(recording.paths.run_id, number).agent("coding"):
            await asyncio.sleep(0)
            recording.emitter.emit("error", {"message": str(number)})

    async def all_of_them() -> None:
        await asyncio.gather(*(work(number) for number in range(4)))

    asyncio.run(all_of_them())
    assert all(str(event["issue"]) == event["message"] for event in recording.events("error"))


def test_attempts_of_one_agent_side_by_side_end_as_their_own_tasks_did(
    recording: Recording, issue: IssueTracker
) -> None:
    async def block(number: int) -> None:
        with issue.agent("coding") as attempt:
            await asyncio.sleep(0)
            if number == 1:
                attempt.fail("1")

    async def pair(number: int) -> None:
        issue.start_agent("testing")
        await asyncio.sleep(0)
        issue.end_agent("testing", success=number != 2, error="2" if number == 2 else None)

    async def all_of_them() -> None:
        await asyncio.gather(*(work(number) for number in range(4) for work in (block, pair)))

    asyncio.run(all_of_them())
    ends = [
        (event["agent"], event["attempt"], event.get("success", True)) for event in recording.events("agent.completed")
    ]
    assert sorted(ends) == [
        *(("coding", number, number != 2) for number in range(1, 5)),
        *(("testing", number, number != 3) for number in range(1, 5)),
    ]
    assert not recording.events("warning")


def test_a_task_may_end_what_another_began(recording: Recording, issue: IssueTracker) -> None:
    async def begin() -> None:
        issue.start_agent("coding")

    asyncio.run(begin())
    issue.end_agent("coding", True)
    assert not recording.events("warning")
