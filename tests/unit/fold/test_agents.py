"""Agents and their attempts."""

from __future__ import annotations

from typing import Any

from journals import Journal
from runwatch.fold.metrics import AgentMetrics


def attempts(*events: dict[str, Any], seal: bool = False) -> AgentMetrics:
    """The agent ``coding`` of issue 1 after these events, a second apart; an event with ``success`` is an end."""
    journal = Journal()
    journal.run_started()
    for event in events:
        kind = "agent.completed" if "success" in event else "agent.started"
        journal.add(kind, after=1, issue=1, agent="coding", **event)
    if seal:
        journal.run_completed(after=1)
    metrics = journal.metrics()
    assert metrics.agents[0].attempts == metrics.issues[0].agents[0].attempts
    return metrics.issues[0].agents[0]


def test_attempts_successes_and_failures_are_counted() -> None:
    agent = attempts(
        {"attempt": 1, "max_attempts": 3},
        {"attempt": 1, "success": False},
        {"attempt": 2},
        {"attempt": 2, "success": True},
        {"attempt": 3},
    )
    assert (agent.attempts, agent.successes, agent.failures, agent.retries) == (3, 1, 1, 2)
    assert (agent.running, agent.max_attempts, agent.duration_s) == (True, 3, 2.0)


def test_an_attempt_that_never_ended_is_a_failure_that_nobody_reported() -> None:
    agent = attempts({"attempt": 1}, {"attempt": 2}, {"success": True}, {}, seal=True)
    assert (agent.attempts, agent.successes, agent.failures, agent.running) == (3, 1, 2, False)
    assert (agent.reported_successes, agent.reported_failures) == (1, 0)
    assert agent.duration_s == 3.0


def test_attempts_with_ids_may_run_side_by_side() -> None:
    agent = attempts(
        {"call_id": "a"},
        {"call_id": "b"},
        {"call_id": "a", "success": True},
        {"call_id": "b", "success": False, "duration_s": 0.5},
    )
    assert (agent.attempts, agent.successes, agent.failures, agent.duration_s) == (2, 1, 1, 2.5)


def test_an_end_without_a_start_is_an_attempt_and_a_repeated_end_is_none() -> None:
    assert attempts({"success": True}, {"success": True}).attempts == 2
    assert attempts({"attempt": 1, "success": False}, {"attempt": 1, "success": True}).failures == 1
    assert attempts({"attempt": 1, "success": False}, {"attempt": 2, "success": True}).attempts == 2
    assert (
        attempts({"call_id": "a"}, {"call_id": "a", "success": True}, {"call_id": "a", "success": True}).attempts == 1
    )


def test_retries_of_the_run_are_those_of_its_issues() -> None:
    journal = Journal()
    for issue in (1, 2, 3):
        journal.add("agent.completed", issue=issue, agent="coding", success=True)
    journal.add("agent.completed", issue=3, agent="coding", success=True)
    for _ in range(3):
        journal.add("debug.attempt", issue=2, agent="coding", cycle=1)
    agent = journal.metrics().agents[0]
    assert (agent.attempts, agent.retries) == (4, 4)


def test_agents_are_in_order_of_their_first_attempt() -> None:
    journal = Journal()
    journal.llm(agent="named by a call", model="m")
    for agent in ("b", "a"):
        journal.add("agent.started", agent=agent)
    assert [agent.agent for agent in journal.metrics().agents] == ["b", "a", "named by a call"]


def test_a_later_attempt_is_not_turned_by_the_truth_about_the_one_before() -> None:
    journal = Journal()
    for outcome in (False, True):
        journal.add("agent.started", agent="a")
        journal.add("agent.completed", agent="a", success=False)
        journal.add("outcome.verified", agent="a", success=outcome)
        journal.add("outcome.verified", agent="a", success=True)
    journal.add("agent.started", agent="a")
    journal.add("agent.completed", agent="a", success=False)
    agent = journal.metrics().agents[0]
    assert (agent.successes, agent.failures, agent.reported_failures) == (2, 1, 3)


def test_the_truth_about_an_attempt_under_way_counts_when_it_ends() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("agent.started", agent="a")
    journal.add("outcome.verified", agent="a", success=True)
    journal.run_completed()
    agent = journal.metrics().agents[0]
    assert (agent.successes, agent.failures, agent.reported_successes) == (1, 0, 0)


def test_errors_tokens_and_cost_are_the_agent_s() -> None:
    journal = Journal()
    journal.add("error", agent="a", issue=1, message="m")
    journal.llm(agent="a", issue=1, model="m", prompt_tokens=3, completion_tokens=1, cost_usd=0.25)
    journal.llm(agent="a", model="m", prompt_tokens=3, completion_tokens=1, cost_usd=0.5)
    metrics = journal.metrics()
    part, whole = metrics.issues[0].agents[0], metrics.agents[0]
    assert (part.errors, part.tokens.total, part.cost_usd) == (1, 4, 0.25)
    assert (whole.errors, whole.tokens.total, whole.cost_usd) == (1, 8, 0.75)


def test_an_attempt_whose_end_was_written_before_its_start_is_one() -> None:
    journal = Journal()
    journal.run_started()
    about = {"agent": "a", "issue": 1}
    began = [journal.now, journal.wait(5).now]
    journal.add("agent.completed", after=1, **about, call_id="x", success=True)
    journal.add("agent.completed", **about, call_id="y", success=True, duration_s=0.5)
    for call_id, ts in zip("xy", began, strict=True):
        journal.add("agent.started", **about, call_id=call_id, ts=ts, writer="w2", attempt=3, max_attempts=4)
    metrics = journal.metrics()
    assert [(one.attempt, one.success, one.start_time, one.duration_s) for one in metrics.attempts] == [
        (3, True, began[0], 6.0), (2, True, began[1], 0.5),
    ]  # fmt: skip
    agent = metrics.agents[0]
    assert (agent.attempts, agent.successes, agent.failures, agent.running, agent.duration_s) == (2, 2, 0, False, 6.5)
    assert (agent.retries, agent.max_attempts, metrics.issues[0].agents[0].attempts) == (1, 4, 2)
    journal.add("agent.started", after=10, **about, call_id="x")
    assert journal.metrics().agents[0].attempts == 3, "the id is used again"


def test_each_attempt_has_its_own_calls_tokens_and_the_retries_up_to_the_next() -> None:
    journal = Journal()
    about = {"issue": 123, "agent": "testing"}
    journal.add("agent.started", **about)
    journal.add("tool.completed", **about, tool="t")
    journal.add("llm.completed", after=1, **about, request_id="a", total_tokens=100)
    journal.add("llm.completed", **about, request_id="a", total_tokens=140)
    journal.add("agent.completed", after=1, **about, success=False, error="red", duration_s=7.5)
    journal.add("llm.completed", **about, request_id="between", total_tokens=1)
    journal.add("agent.started", **about)
    journal.add("llm.completed", **about, request_id="b", total_tokens=10)
    journal.add("llm.completed", issue=123, agent="other", request_id="c", total_tokens=1000)
    journal.add("agent.completed", after=1, **about, success=True)
    for _ in range(2):
        journal.add("debug.started", **about, cycle="c")
        journal.add("debug.attempt", cycle="c")
    journal.add("agent.started", agent="loose", attempt=5)
    first, second = journal.metrics().attempts
    assert (first.attempt, first.success, first.error, first.duration_s) == (1, False, "red", 7.5)
    assert (first.tool_calls, first.total_tokens, first.retries) == (1, 140, 0)
    assert (second.attempt, second.success, second.tool_calls, second.total_tokens, second.retries) == (
        2,
        True,
        0,
        10,
        2,
    )
    assert second.retries == journal.metrics().issues[0].agents[0].retries
    journal.add("outcome.verified", **about, success=False, source="ci")
    journal.run_completed(after=1)
    _, second, loose = journal.metrics().attempts
    assert (second.success, loose.agent, loose.attempt, loose.success) == (False, "loose", 5, False)
    assert sum(row.total_tokens for row in journal.metrics().attempts) == 150


def test_a_call_that_two_sources_saw_counts_once_in_the_attempt_too() -> None:
    journal = Journal()
    about = {"issue": 1, "agent": "a", "model": "m", "provider": "p"}
    journal.add("agent.started", issue=1, agent="a")
    journal.add("llm.completed", **about, total_tokens=100)
    journal.add("llm.completed", **about, total_tokens=90, source="otlp.span")
    journal.add("agent.completed", issue=1, agent="a")
    assert journal.metrics().attempts[0].total_tokens == 100


def test_processes_that_each_began_at_1_are_numbered_one_after_the_other() -> None:
    journal = Journal()
    for number in (1, 2, 3):
        attempt = {"issue": 7, "agent": "coding", "attempt": 1, "call_id": f"c{number}", "writer": f"w{number}"}
        journal.add("agent.started", **attempt)
        journal.add("agent.completed", success=True, **attempt)
    assert [attempt.attempt for attempt in journal.metrics().attempts] == [1, 2, 3]


def test_a_start_that_was_written_after_its_end_gives_the_attempt_its_number() -> None:
    journal = Journal()
    journal.add("agent.completed", agent="coding", call_id="c", success=True)
    journal.add("agent.started", agent="coding", call_id="c", attempt=4)
    journal.add("agent.completed", agent="coding", call_id="d", success=True)
    assert [attempt.attempt for attempt in journal.metrics().attempts] == [4, 5]
