"""Tests of runwatch.views.issue_report."""

from __future__ import annotations

import msgspec

import journals
import metrics_samples as samples
from runwatch.views import issue_report

NAMES = (
    "issue_id status duration_seconds agent_metrics pipeline_attempts succeeded_pipelines failed_pipelines "
    "pipeline_success_rate total_errors debugging_cycles resolved_cycles debugging_success_rate debugging_details "
    "pipeline_details tokens cost_usd code test_coverage complexity_score first_time_right"
)


def test_the_field_names_are_exactly_those_of_the_specification() -> None:
    report = issue_report.render(samples.issue())
    assert list(report) == NAMES.split()
    assert set(report["debugging_details"][0]) == {"agent", "error_type", "attempts", "resolved", "duration_seconds"}
    assert set(report["pipeline_details"][0]) == {"pipeline_id", "status", "commit_sha"}
    assert issue_report.render(samples.issue("PROJ-9"))["issue_id"] == "PROJ-9"
    assert report["issue_id"] == 123


def test_an_agent_whom_the_truth_confirms_has_exactly_the_promised_names() -> None:
    issue = samples.issue()
    issue.agents[0].reported_successes, issue.agents[0].reported_failures = 1, 2
    agent = issue_report.render(issue)["agent_metrics"]["testing"]
    assert agent == {"attempts": 3, "successes": 1, "failures": 2, "retries": 2, "duration": 95.0}


def test_what_a_contradicted_agent_had_said_stays_beside_the_truth() -> None:
    agent = issue_report.render(samples.issue())["agent_metrics"]["testing"]
    assert (agent["successes"], agent["failures"]) == (1, 2)
    assert (agent["reported_successes"], agent["reported_failures"]) == (0, 3)


def test_the_scenario_of_three_issues_gives_the_report_of_the_specification() -> None:
    report = issue_report.render(journals.scenario_issues().metrics().issues[0])
    assert report["issue_id"] == 123
    assert {name: agent["retries"] for name, agent in report["agent_metrics"].items()} == {
        "coding": 0,
        "testing": 2,
        "review": 0,
    }
    pipelines = (report["pipeline_attempts"], report["succeeded_pipelines"], report["failed_pipelines"])
    assert (*pipelines, report["pipeline_success_rate"]) == (3, 1, 2, 33.33)
    cycles = (report["debugging_cycles"], report["resolved_cycles"], report["debugging_success_rate"])
    assert cycles == (1, 1, 100.0)
    assert report["pipeline_details"] == [
        {"pipeline_id": 4258, "status": "failed", "commit_sha": "abc123"},
        {"pipeline_id": 4259, "status": "failed", "commit_sha": "abc124"},
        {"pipeline_id": 4260, "status": "success", "commit_sha": "def456"},
    ]
    assert report["first_time_right"] is False
    assert msgspec.json.encode(report)
