"""Attempts of agents: numbers, context, misuse."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable

import pytest

from runwatch.fold import Fold
from runwatch.sdk.calls import tool
from runwatch.sdk.context import scope_of
from runwatch.sdk.issues import IssueTracker
from runwatch.sdk.llm import llm_metrics
from runwatch.sdk.steps import Step
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


def places(recording: Recording) -> list[tuple[object, object]]:
    """Issue and agent of the errors so far."""
    return [(event.get("issue"), event.get("agent")) for event in recording.events("error")]


def test_no_context_goes_back_to_an_attempt_that_ended_meanwhile(recording: Recording, issue: IssueTracker) -> None:
    other = IssueTracker(recording.paths.run_id, 2)
    issue.start_agent("coding")
    issue.start_agent("testing")
    other.start_agent("review")
    issue.end_agent("testing", True)
    recording.emitter.emit("error", {"message": "the last that began is at work"})
    other.end_agent("review", True)
    recording.emitter.emit("error", {"message": "the one around it has ended, not the one around that"})
    issue.end_agent("coding", True)
    recording.emitter.emit("error", {"message": "nobody"})
    assert places(recording) == [(2, "review"), (123, "coding"), (None, None)]


def test_what_is_told_of_an_agent_later_counts_beside_calls_of_nobody(
    recording: Recording, issue: IssueTracker
) -> None:
    issue.start_agent("coding")
    issue.start_agent("testing")
    issue.end_agent("coding", True)
    issue.end_agent("testing", True)
    issue.record_token_usage("coding", {"input_tokens": 17, "output_tokens": 0, "model": "gpt-4o"})
    with llm_metrics.track_request("gpt-4o", "openai") as request:
        request.update(prompt_tokens=100)
    fold = Fold()
    for line in recording.paths.journal.read_bytes().splitlines(keepends=True):
        fold.feed_line(line, 0)
    metrics = fold.metrics("2100-01-01T00:00:00Z")
    assert metrics.run.tokens.total == 117
    assert [one.tokens.total for one in metrics.issues] == [17]


def test_the_end_of_an_issue_takes_its_agents_out_of_every_context(recording: Recording, issue: IssueTracker) -> None:
    other = IssueTracker(recording.paths.run_id, 2)
    other.start_agent("review")
    issue.start_agent("coding")
    issue.start_agent("testing")
    issue.finalize_issue("failed")
    recording.emitter.emit("error", {"message": "after the end"})
    issue.end_agent("testing", False)
    other.end_agent("review", True)
    recording.emitter.emit("error", {"message": "after all ends"})
    assert places(recording) == [(2, "review"), (None, None)]


def test_an_attempt_that_another_thread_ends_is_over_in_every_thread_and_step(
    recording: Recording, issue: IssueTracker
) -> None:
    ended, seen = threading.Event(), threading.Event()

    def look() -> None:
        ended.wait(30)
        recording.emitter.emit("error", {"message": "in a thread that still held it"})
        seen.set()

    issue.start_agent("coding")
    context = contextvars.copy_context()
    looking = threading.Thread(target=lambda: context.run(look))
    looking.start()
    with Step(recording.emitter, "inner", None):
        ending = threading.Thread(target=issue.end_agent, args=("coding", True))
        ending.start()
        ending.join(30)
        recording.emitter.emit("error", {"message": "inside the step"})
    recording.emitter.emit("error", {"message": "behind the step, which had it around"})
    ended.set()
    assert seen.wait(30)
    looking.join(30)
    assert places(recording) == [(None, None)] * 3
    assert [event.get("step") for event in recording.events("error")] == [1, None, None]


def test_attempts_that_overlap_for_ever_leave_no_chain_behind(recording: Recording, issue: IssueTracker) -> None:
    issue.start_agent("0")
    for number in range(1, 50):
        issue.start_agent(str(number))
        issue.end_agent(str(number - 1), True)
    depth, scope = 0, scope_of(recording.emitter)
    while scope.stay is not None:
        depth, scope = depth + 1, scope.stay.outer
    assert depth <= 2


def _in_threads(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _call() -> None:
    with tool("grep"), llm_metrics.track_request("m", "p") as call:
        call["prompt_tokens"] = 5


def test_calls_in_threads_are_those_of_the_one_agent_that_the_program_is_at(
    recording: Recording, issue: IssueTracker
) -> None:
    issue.start_agent("coding")
    _in_threads(_call)
    issue.end_agent("coding", True)
    _in_threads(_call)
    calls = [*recording.events("tool.completed"), *recording.events("llm.completed")]
    told = [(event.get("agent"), event.get("issue")) for event in calls]
    assert told == [*[("coding", issue.issue_id)] * 3, *[(None, None)] * 3] * 2


def test_where_two_agents_are_at_work_or_another_thread_is_a_thread_takes_no_call_of_theirs(
    recording: Recording, issue: IssueTracker
) -> None:
    issue.start_agent("coding")
    IssueTracker(recording.paths.run_id, 2).start_agent("review")
    _in_threads(_call)
    issue.end_agent("coding", True)
    IssueTracker(recording.paths.run_id, 2).end_agent("review", True)
    in_thread = threading.Thread(target=issue.start_agent, args=("testing",))
    in_thread.start()
    in_thread.join()
    _in_threads(_call)
    assert {event.get("agent") for event in recording.events("llm.completed")} == {None}
