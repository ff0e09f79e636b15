"""Issues, and the external truth about them."""

from __future__ import annotations

from typing import Any

import pytest

from journals import Journal, scenario_issues
from runwatch.fold import FoldSettings
from runwatch.fold.metrics import IssueMetrics


def test_the_scenario_of_three_issues_comes_out_as_computed_by_hand() -> None:
    metrics = scenario_issues().metrics()
    run = metrics.run
    assert run.issues_processed == [123, 124, 125]
    assert (run.total_successes, run.total_errors, run.success_rate) == (2, 1, 66.67)
    issue = metrics.issues[0]
    assert {agent.agent: agent.retries for agent in issue.agents} == {"coding": 0, "testing": 2, "review": 0}
    assert all((agent.attempts, agent.successes) == (1, 1) for agent in issue.agents)
    totals = issue.pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed, totals.success_rate) == (3, 1, 2, 33.33)
    assert [(p.pipeline_id, p.status, p.commit_sha) for p in issue.pipelines] == [
        (4258, "failed", "abc123"),
        (4259, "failed", "abc124"),
        (4260, "success", "def456"),
    ]
    cycles = issue.debugging_totals
    assert (cycles.cycles, cycles.resolved, cycles.success_rate) == (1, 1, 100.0)
    assert [(c.agent, c.error_type, c.attempts, c.resolved) for c in issue.debugging] == [
        ("testing", "test_failure", 2, True)
    ]
    assert issue.first_time_right is False
    assert issue.total_errors == 2


def test_ids_are_compared_as_text_and_shown_as_they_were() -> None:
    journal = Journal()
    journal.add("issue.started", issue=7)
    journal.add("issue.completed", issue="7")
    journal.add("issue.started", issue="A-1")
    metrics = journal.metrics()
    assert [issue.issue for issue in metrics.issues] == [7, "A-1"]
    assert metrics.run.issues_processed == [7, "A-1"]
    assert metrics.issues[0].status == "completed"


@pytest.mark.parametrize("status", ["success", "completed", "resolved", "merged", "closed", "Merged"])
def test_these_statuses_mean_ended_well(status: str) -> None:
    journal = Journal()
    journal.add("issue.started", issue=1)
    journal.add("issue.completed", issue=1, status=status)
    assert journal.metrics().run.total_successes == 1


def test_percentages_of_nothing_are_absent() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("issue.started", issue=1)
    metrics = journal.metrics()
    assert metrics.run.success_rate is None
    assert metrics.issues[0].pipeline_totals.success_rate is None
    assert metrics.issues[0].debugging_totals.success_rate is None


def review(*outcomes: dict[str, Any], status: str = "failed") -> IssueMetrics:
    """An issue whose review failed three times, and what is so."""
    journal = Journal()
    journal.add("issue.started", issue=1)
    for attempt in (1, 2, 3):
        journal.add("agent.started", issue=1, agent="review", attempt=attempt)
        journal.add("agent.completed", issue=1, agent="review", attempt=attempt, success=False)
    journal.add("issue.completed", issue=1, status=status)
    for outcome in outcomes:
        journal.add("outcome.verified", issue=1, **outcome)
    return journal.metrics().issues[0]


def test_three_failed_reviews_and_a_merged_branch_are_a_success_and_both_facts_stay() -> None:
    issue = review({"agent": "review", "success": True, "source": "git"})
    agent = issue.agents[0]
    assert issue.status == "success"
    assert (agent.successes, agent.failures) == (1, 2)
    assert (agent.reported_successes, agent.reported_failures) == (0, 3)
    assert issue.total_errors == 2


def test_the_truth_about_an_issue_outranks_what_was_said_in_both_ways() -> None:
    assert review({"success": True}).status == "success"
    assert review({"success": True}, status="merged").status == "merged"
    assert review({"success": False}, status="completed").status == "failed"
    assert review({"success": False}, status="aborted").status == "aborted"
    assert review({"success": True}, {"success": False}, status="completed").status == "failed"


def test_a_person_s_word_on_an_agent_is_not_one_on_the_issue() -> None:
    issue = review({"agent": "review", "success": True, "source": "person"})
    assert issue.status == "failed"
    assert issue.agents[0].successes == 1
    assert review({"success": False}, {"agent": "review", "success": True, "source": "git"}).status == "failed"


def test_an_issue_that_was_never_ended_is_interrupted_unless_the_truth_says_success() -> None:
    journal = Journal()
    journal.run_started()
    for issue in (1, 2):
        journal.add("issue.started", issue=issue)
    journal.add("outcome.verified", issue=2, success=True, source="git")
    assert [issue.status for issue in journal.metrics().issues] == [None, None]
    journal.run_completed(after=3)
    assert [issue.status for issue in journal.metrics().issues] == ["interrupted", "success"]


def test_an_issue_that_is_only_named_exists() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("error", after=1, issue=5, message="m")
    journal.run_completed(after=3)
    issue = journal.metrics().issues[0]
    assert (issue.status, issue.duration_s, issue.total_errors) == ("interrupted", 3.0, 1)


def test_the_first_end_stands_until_it_is_started_again() -> None:
    journal = Journal()
    journal.add("issue.started", issue=1, title="T")
    journal.add("issue.completed", after=2, issue=1, status="failed")
    journal.add("issue.completed", after=2, issue=1, status="completed")
    assert journal.metrics().issues[0].status == "failed"
    journal.add("issue.started", after=10, issue=1)
    journal.add("issue.completed", after=3, issue=1, status="completed")
    issue = journal.metrics().issues[0]
    assert (issue.title, issue.status, issue.duration_s) == ("T", "completed", 5.0)


def test_an_end_stands_where_somebody_starts_the_issue_once_more_and_never_ends_it() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("issue.started", issue=1)
    early = journal.now
    journal.add("issue.completed", after=2, issue=1, status="completed")
    journal.add("issue.started", issue=1, ts=early, writer="late")
    journal.add("issue.completed", issue=1, status="failed", writer="late")
    journal.add("issue.started", after=3, issue=1, writer="w2")
    live = journal.metrics()
    assert (live.issues[0].status, live.issues[0].duration_s, live.run.issues_open) == ("completed", 2.0, 0)
    journal.run_completed(after=4)
    issue = journal.metrics().issues[0]
    assert (issue.status, issue.duration_s) == ("completed", 2.0)


def test_what_comes_after_an_issue_s_end_still_counts() -> None:
    journal = Journal()
    journal.llm(issue=1, model="m", prompt_tokens=1, completion_tokens=0)
    journal.add("issue.completed", issue=1)
    fold = journal.fold()
    assert fold.metrics(journal.now).issues[0].tokens.total == 1
    late = Journal()
    late.llm(issue=1, model="m", prompt_tokens=5, completion_tokens=0)
    for line in late.lines:
        fold.feed_line(line)
    assert fold.metrics(journal.now).issues[0].tokens.total == 6


def test_an_attempt_that_goes_on_after_its_issue_s_end_grows_with_now() -> None:
    journal = Journal()
    journal.add("issue.completed", issue=1)
    journal.add("agent.started", issue=1, agent="a")
    fold = journal.fold()
    assert fold.metrics("2026-11-21T10:05:00.000000Z").issues[0].agents[0].duration_s == 300.0
    assert fold.metrics("2026-11-21T10:06:00.000000Z").issues[0].agents[0].duration_s == 360.0


def ended(*pipelines: str, status: str = "completed", cycles: int = 0) -> IssueMetrics:
    """An issue that ended, with these pipelines."""
    journal = Journal()
    journal.add("issue.started", issue=1)
    for number, pipeline in enumerate(pipelines):
        journal.add("pipeline.completed", issue=1, pipeline_id=number, status=pipeline)
    for cycle in range(cycles):
        journal.add("debug.started", issue=1, cycle=cycle)
        journal.add("debug.completed", issue=1, cycle=cycle, resolved=True)
    journal.add("issue.completed", issue=1, status=status)
    return journal.metrics().issues[0]


def test_first_time_right_is_the_first_pipeline_and_no_debugging() -> None:
    assert ended("success").first_time_right is True
    assert ended("failed", "success").first_time_right is False
    assert ended("success", "failed").first_time_right is True
    assert ended("success", cycles=1).first_time_right is False
    assert ended("success", status="failed").first_time_right is False
    assert ended().first_time_right is None
    assert Journal().fold().metrics("2026-11-21T10:00:00Z").issues == []


def test_complexity_is_churn_files_and_retries_with_the_configuration_s_weights() -> None:
    journal = Journal()
    journal.add("agent.started", issue=1, agent="coding", attempt=1)
    journal.add("agent.started", issue=1, agent="coding", attempt=2)
    for pipeline in (1, 2):
        journal.add("pipeline.completed", issue=1, pipeline_id=pipeline)
    assert journal.metrics().issues[0].complexity_score is None
    journal.add("git.snapshot", issue=1, files_created=1, files_modified=2, lines_added=150, lines_deleted=50)
    assert journal.metrics().issues[0].complexity_score == 2.0 + 1.5 + 4.0
    told = FoldSettings(churn_weight=1.0, files_weight=0.0, retries_weight=0.0)
    assert journal.metrics(settings=told).issues[0].complexity_score == 200.0
    journal.run_started(settings={"complexity": {"churn": 0, "files": 10}})
    assert journal.metrics(settings=told).issues[0].complexity_score == 30.0


def test_an_issue_that_several_processes_work_at_lasts_from_its_first_start_to_its_end() -> None:
    journal = Journal()
    for number in (1, 2, 3):
        journal.add("issue.started", after=1, issue=7, writer=f"w{number}", mono=50.0 * number)
    journal.add("issue.completed", after=0.84, issue=7, status="completed", writer="w3", mono=150.02)
    assert journal.metrics().issues[0].duration_s == 2.84
