"""Issue trackers."""

from __future__ import annotations

import pytest

from runwatch.fold import Fold
from runwatch.sdk import active
from runwatch.sdk.issues import IssueTracker, register
from sdk_recording import Recording


@pytest.fixture
def issue(recording: Recording) -> IssueTracker:
    return IssueTracker(recording.paths.run_id, 123)


def test_an_issue_starts_once_however_many_trackers_it_has(recording: Recording) -> None:
    register(recording.emitter, 123, "The title")
    first, second = (IssueTracker(recording.paths.run_id, name) for name in (123, "123"))
    first.start_agent("coding")
    second.end_agent("coding", True)
    (started,) = recording.events("issue.started")
    assert (started["issue"], started["title"]) == (123, "The title")
    assert recording.events("agent.completed")[0]["issue"] == 123


def test_an_id_may_be_any_text(recording: Recording) -> None:
    IssueTracker(recording.paths.run_id, "a/b ü").finalize_issue("closed")
    assert recording.events("issue.completed")[0]["issue"] == "a/b ü"


def test_pipeline_attempts_are_numbered_and_their_times_told_apart(recording: Recording, issue: IssueTracker) -> None:
    issue.record_pipeline_attempt(
        4258, "failed", "abc123", queue_time=1.5, execution_time=20, failed_jobs=["unit"], error_type="tests"
    )
    issue.record_pipeline_attempt(4259, "success", triggered_by="coding", runner="r7")
    first, second = recording.events("pipeline.completed")
    assert (first["pipeline_id"], first["status"], first["commit_sha"], first["attempt"]) == (
        4258,
        "failed",
        "abc123",
        1,
    )
    assert (first["queued_s"], first["duration_s"], first["failed_jobs"], first["issue"]) == (1.5, 20.0, ["unit"], 123)
    assert (second["attempt"], second["triggered_by"], second["runner"]) == (2, "coding", "r7")


def test_a_pipeline_that_ends_otherwise_or_of_another_commit_is_another_attempt(
    recording: Recording, issue: IssueTracker
) -> None:
    for status, sha in (
        ("failed", "abc"), ("failed", None), ("FAILURE", "abc"), ("failed", "def"), ("success", "ghi"), ("failed", None)
    ):  # fmt: skip
        issue.record_pipeline_attempt("5", status, sha)
    issue.record_pipeline_attempt("5", "failed", rerun=2)
    issue.record_pipeline_attempt("5", "failed", rerun=[])
    events = recording.events("pipeline.completed")
    assert [event["attempt"] for event in events] == [1, 1, 1, 2, 3, 4, 5, 4]
    fold = Fold()
    for line in recording.paths.journal.read_bytes().splitlines(keepends=True):
        fold.feed_line(line)
    states = [pipeline.status for pipeline in fold.metrics("2026-11-21T10:00:00Z").pipelines]
    assert states == ["failed", "failed", "success", "failed", "failed"]
    assert recording.events("warning")[-1]["message"] == "pipeline 5: rerun [] is no number of a rerun"


def test_a_pipeline_told_state_by_state_starts_and_ends_once(recording: Recording, issue: IssueTracker) -> None:
    for state in ("pending", "running", "success"):
        issue.record_pipeline_attempt(4258, state, "abc", queue_time=2)
    issue.record_pipeline_attempt(4259, "queued")
    told = [(event["type"], event["attempt"]) for event in recording.events() if event["type"].startswith("pipeline")]
    assert told == [
        ("pipeline.started", 1),
        ("pipeline.started", 1),
        ("pipeline.completed", 1),
        ("pipeline.started", 2),
    ]
    assert not recording.events("warning")
    assert [event["queued_s"] for event in recording.events("pipeline.started")[:2]] == [2.0, 2.0]


def test_a_pipeline_told_of_again_is_one_attempt_and_keeps_what_can_be_meant(
    recording: Recording, issue: IssueTracker
) -> None:
    issue.record_pipeline_attempt(1, "FAILURE", execution_time=50, duration=60, failed_jobs=[1, 2], queue_time="abc")
    issue.record_pipeline_attempt("1", "failed", failed_jobs="unit", duration=7, attempt=True)
    issue.record_pipeline_attempt(1, "odd", rerun=2, failed_jobs=5)
    issue.record_pipeline_attempt(2, "success", attempt=7)
    issue.record_pipeline_attempt(3, "success", queue_time=float("nan"))
    events = recording.events("pipeline.completed")
    assert [event["attempt"] for event in events] == [1, 1, 2, 7, 8]
    states = [event.get("status", "success") for event in events]
    assert states == ["failed", "failed", "odd", "success", "success"]
    assert (events[0]["duration_s"], events[0]["failed_jobs"], events[1]["failed_jobs"]) == (50.0, ["1", "2"], ["unit"])
    assert not any("queued_s" in event for event in events)
    assert events[1]["duration_s"] == 7.0
    told = [event["message"] for event in recording.events("warning")]
    assert [word in message for word, message in zip(("'abc'", "True", "'odd'", "nan"), told, strict=True)] == [
        True
    ] * 4


def test_an_end_in_a_word_that_nobody_knows_is_a_warning(recording: Recording, issue: IssueTracker) -> None:
    issue.finalize_issue("done")
    IssueTracker(recording.paths.run_id, 5).finalize_issue("FAILED")
    IssueTracker(recording.paths.run_id, 6).finalize_issue("Completed")
    (warning,) = recording.events("warning")
    assert warning["message"].startswith("issue 123 ended as 'done'")


def test_usage_names_its_agent_and_its_source(recording: Recording, issue: IssueTracker) -> None:
    issue.record_token_usage("coding", {"input_tokens": 10, "output_tokens": 5, "estimated_cost": 0.25})
    issue.record_token_usage("coding", object())
    (call,) = recording.events("llm.completed")
    assert (call["agent"], call["issue"], call["source"]) == ("coding", 123, "usage")
    assert (call["prompt_tokens"], call["completion_tokens"], call["cost_usd"]) == (10, 5, 0.25)
    assert len(recording.events("warning")) == 1


def test_the_rest_is_what_it_says(recording: Recording, issue: IssueTracker) -> None:
    issue.record_error("ValueError", "bad")
    issue.record_coverage(81.5)
    issue.record_outcome(True, "forge", agent="review")
    issue.finalize_issue("completed")
    issue.finalize_issue("failed")
    error, coverage, outcome, completed, warning = recording.events()[1:]
    assert (error["error_type"], error["message"], error["issue"]) == ("ValueError", "bad", 123)
    assert (coverage["percent"], coverage["issue"]) == (81.5, 123)
    assert (outcome["success"], outcome["source"], outcome["agent"]) == (True, "forge", "review")
    assert (completed["type"], completed["issue"]) == ("issue.completed", 123)
    assert warning["type"] == "warning"


def test_an_error_s_type_may_be_an_exception_or_its_class(recording: Recording, issue: IssueTracker) -> None:
    for given in (ValueError, ValueError("x"), "ValueError"):
        issue.record_error(given, ValueError("bad"))
    errors = [(event["error_type"], event["message"]) for event in recording.events("error")]
    assert errors == [("ValueError", "bad")] * 3


def test_an_unknown_run_is_a_warning_and_counted_in_memory(recording: Recording) -> None:
    IssueTracker("no-such-run", "x77").record_error("E", "m")
    assert recording.types() == ["warning"]
    memory = active.memory().memory
    assert memory is not None
    metrics = memory.metrics()
    assert metrics is not None
    assert "x77" in [issue.issue for issue in metrics.issues]


def test_how_long_an_issue_took_is_left_to_the_journal(recording: Recording, issue: IssueTracker) -> None:
    issue.finalize_issue("completed")
    assert "duration_s" not in recording.events("issue.completed")[0]
