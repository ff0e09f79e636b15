"""Debugging cycles."""

from __future__ import annotations

from journals import Journal


def test_a_cycle_goes_from_its_failure_to_its_resolution() -> None:
    journal = Journal()
    journal.add("debug.started", issue=1, agent="testing", cycle="a", error_type="E", error_message="text")
    journal.add("debug.attempt", after=2, issue=1, cycle="a")
    cycle = journal.metrics().debugging[0]
    assert (cycle.resolved, cycle.attempts, cycle.duration_s) == (None, 1, 2.0)
    journal.add("debug.attempt", after=2, issue=1, cycle="a")
    journal.add("debug.completed", after=1, issue=1, cycle="a", resolved=True, method="retry")
    metrics = journal.metrics()
    cycle = metrics.debugging[0]
    assert (cycle.agent, cycle.error_type, cycle.error_message) == ("testing", "E", "text")
    assert (cycle.resolved, cycle.attempts, cycle.duration_s, cycle.method) == (True, 2, 5.0, "retry")
    assert metrics.issues[0].debugging == metrics.debugging
    assert metrics.issues[0].agents[0].retries == 2


def test_the_rate_is_of_the_cycles_that_ended_and_the_time_of_those_resolved() -> None:
    journal = Journal()
    for cycle, (resolved, duration_s) in enumerate([(True, 10.0), (True, 20.0), (False, 500.0)]):
        journal.add("debug.started", cycle=cycle)
        journal.add("debug.completed", cycle=cycle, resolved=resolved, duration_s=duration_s)
    journal.add("debug.started", cycle=9)
    totals = journal.metrics().debugging_totals
    assert (totals.cycles, totals.resolved, totals.success_rate, totals.resolution_s) == (4, 2, 66.67, 15.0)


def test_a_cycle_under_way_at_the_end_is_not_resolved() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("debug.started", cycle=1, agent="a")
    journal.run_completed(after=4)
    metrics = journal.metrics()
    assert (metrics.debugging[0].resolved, metrics.debugging[0].duration_s) == (False, 4.0)
    assert (metrics.debugging_totals.resolved, metrics.debugging_totals.success_rate) == (0, 0.0)


def test_a_line_without_a_number_means_the_latest_cycle_that_goes_on_in_its_issue() -> None:
    journal = Journal()
    journal.add("debug.started", issue=1)
    journal.add("debug.started", issue=2)
    journal.add("debug.attempt", issue=1)
    journal.add("debug.completed", issue=1, resolved=True)
    journal.add("debug.attempt", issue=2)
    first, second = journal.metrics().debugging
    assert (first.attempts, first.resolved) == (1, True)
    assert (second.attempts, second.resolved) == (1, None)


def test_the_same_number_in_two_issues_is_two_cycles_and_again_after_its_end_a_third() -> None:
    journal = Journal()
    for issue in (1, 2):
        journal.add("debug.started", issue=issue, cycle=1)
    journal.add("debug.completed", issue=1, cycle=1, resolved=True)
    journal.add("debug.completed", issue=1, cycle=1, resolved=False)
    journal.add("debug.attempt", issue=1, cycle=1)
    journal.add("debug.started", issue=1, cycle=1)
    metrics = journal.metrics()
    assert [(cycle.issue, cycle.attempts, cycle.resolved) for cycle in metrics.debugging] == [
        (1, 1, True), (2, 0, None), (1, 0, None),
    ]  # fmt: skip
    assert metrics.debugging_totals.resolved == 1


def test_a_line_that_leaves_out_the_issue_finds_the_cycle_by_its_number() -> None:
    journal = Journal()
    journal.add("debug.started", issue=1, cycle="x", agent="a")
    journal.add("debug.attempt", cycle="x")
    journal.add("debug.completed", cycle="x", resolved=True)
    metrics = journal.metrics()
    assert [(cycle.issue, cycle.attempts, cycle.resolved) for cycle in metrics.debugging] == [(1, 1, True)]
    assert metrics.agents[0].retries == 1


def test_a_cycle_whose_end_was_written_before_its_start_is_one() -> None:
    journal = Journal()
    began = journal.now
    journal.add("debug.completed", after=4, issue=1, cycle="x", resolved=True)
    journal.add("debug.started", issue=1, cycle="x", ts=began, writer="w2", agent="a", error_type="E")
    metrics = journal.metrics()
    assert [(one.agent, one.error_type, one.resolved, one.duration_s) for one in metrics.debugging] == [
        ("a", "E", True, 4.0)
    ]
    assert (metrics.debugging_totals.cycles, metrics.debugging_totals.resolution_s) == (1, 4.0)
    journal.add("debug.started", after=9, issue=1, cycle="x")
    assert len(journal.metrics().debugging) == 2, "the number is used again"


def test_a_cycle_whose_start_was_lost_exists_all_the_same() -> None:
    journal = Journal()
    journal.add("debug.attempt", cycle=1, agent="a")
    journal.add("debug.completed", after=2, cycle=1, resolved=True)
    cycle = journal.metrics().debugging[0]
    assert (cycle.attempts, cycle.resolved, cycle.duration_s, cycle.agent) == (1, True, 2.0, "a")


def test_how_long_a_cycle_took_whose_start_was_never_told_is_not_known() -> None:
    journal = Journal()
    journal.add("debug.completed", issue=1, cycle="a", agent="testing", resolved=True)
    metrics = journal.metrics()
    assert (metrics.debugging[0].duration_s, metrics.debugging_totals.resolution_s) == (None, None)
    assert metrics.debugging_totals.success_rate == 100.0
    journal.add("debug.completed", after=5, issue=1, cycle="b", agent="testing", resolved=True, duration_s=3.0)
    totals = journal.metrics().debugging_totals
    assert (totals.resolved, totals.resolution_s) == (2, 3.0), "the mean is of those whose time is known"
