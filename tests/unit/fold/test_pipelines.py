"""CI attempts."""

from __future__ import annotations

from journals import Journal


def test_queue_and_execution_time_are_kept_apart() -> None:
    journal = Journal()
    journal.add("pipeline.completed", issue=1, pipeline_id=1, status="failed", queued_s=3.5, duration_s=60.25)
    journal.add("pipeline.completed", issue=1, pipeline_id=2, status="timeout", queued_s=1.5, duration_s=10)
    journal.add("pipeline.completed", issue=1, pipeline_id=3, status="canceled")
    metrics = journal.metrics()
    totals = metrics.pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed, totals.success_rate) == (3, 0, 2, 0.0)
    assert (totals.queued_s, totals.duration_s) == (5.0, 70.25)
    assert metrics.issues[0].pipeline_totals == totals
    assert [pipeline.attempt for pipeline in metrics.pipelines] == [1, 2, 3]
    assert metrics.issues[0].total_errors == 2


def test_a_pipeline_is_followed_from_its_start_to_its_end() -> None:
    journal = Journal()
    journal.add("pipeline.started", issue=1, pipeline_id=9, commit_sha="abc", triggered_by="push")
    pipeline = journal.metrics().pipelines[0]
    assert (pipeline.status, pipeline.start_time, pipeline.duration_s) == (None, "2026-11-21T10:00:00.000000Z", None)
    assert journal.metrics().pipeline_totals.attempts == 0
    journal.add("pipeline.completed", after=30, issue=1, pipeline_id=9, attempt=1, failed_jobs=["lint"])
    pipeline = journal.metrics().pipelines[0]
    assert (pipeline.status, pipeline.commit_sha, pipeline.triggered_by) == ("success", "abc", "push")
    assert (pipeline.duration_s, pipeline.end_time, pipeline.failed_jobs) == (
        30.0, "2026-11-21T10:00:30.000000Z", ["lint"],
    )  # fmt: skip


def test_the_forge_s_own_times_count() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=9)
    times = {"started_at": "2026-11-21T09:00:00Z", "ended_at": "2026-11-21T11:00:30+02:00"}
    journal.add("pipeline.completed", after=5, pipeline_id=9, **times)
    pipeline = journal.metrics().pipelines[0]
    assert (pipeline.start_time, pipeline.end_time, pipeline.duration_s) == (
        "2026-11-21T09:00:00.000000Z", "2026-11-21T09:00:30.000000Z", 30.0,
    )  # fmt: skip


def test_a_pipeline_told_of_twice_is_one_and_the_later_word_counts() -> None:
    journal = Journal()
    journal.add("pipeline.completed", pipeline_id=1, status="failed", duration_s=5)
    journal.add("pipeline.completed", pipeline_id="1", status="success")
    totals = journal.metrics().pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed, totals.duration_s) == (1, 1, 0, 5.0)


def test_another_attempt_of_the_same_pipeline_is_another_one() -> None:
    journal = Journal()
    for attempt, status in ((1, "failed"), (2, "success")):
        journal.add("pipeline.completed", pipeline_id=1, attempt=attempt, status=status)
    totals = journal.metrics().pipeline_totals
    assert (totals.attempts, totals.success_rate, totals.first_attempt_pass) == (2, 50.0, False)


def test_a_start_that_says_no_attempt_belongs_to_the_end_that_does() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=1)
    journal.add("pipeline.completed", after=3, pipeline_id=1, attempt=2)
    pipelines = journal.metrics().pipelines
    assert [(pipeline.attempt, pipeline.duration_s) for pipeline in pipelines] == [(2, 3.0)]


def test_the_first_attempt_of_a_run_is_told_only_where_there_is_one_issue_or_none() -> None:
    journal = Journal()
    journal.add("pipeline.completed", issue=1, pipeline_id=1)
    assert journal.metrics().pipeline_totals.first_attempt_pass is True
    journal.add("pipeline.completed", issue=2, pipeline_id=2)
    metrics = journal.metrics()
    assert metrics.pipeline_totals.first_attempt_pass is None
    assert [issue.pipeline_totals.first_attempt_pass for issue in metrics.issues] == [True, True]


def test_the_same_id_in_two_issues_is_two_pipelines() -> None:
    journal = Journal()
    for issue in (1, 2):
        journal.add("pipeline.completed", issue=issue, pipeline_id=5)
    assert journal.metrics().pipeline_totals.attempts == 2


def test_a_pipeline_gets_the_issue_that_a_later_line_names() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=5)
    journal.add("pipeline.completed", pipeline_id=5, issue=3, status="failed")
    metrics = journal.metrics()
    assert (metrics.pipelines[0].issue, metrics.pipeline_totals.attempts) == (3, 1)
    assert metrics.issues[0].pipeline_totals.failed == 1
    journal.add("pipeline.completed", pipeline_id=5, status="success")
    assert journal.metrics().issues[0].pipeline_totals.failed == 0


def test_a_pipeline_under_way_at_the_end_is_an_interrupted_attempt() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("pipeline.started", pipeline_id=5)
    journal.run_completed(after=7)
    metrics = journal.metrics()
    assert (metrics.pipelines[0].status, metrics.pipelines[0].duration_s) == ("interrupted", 7.0)
    totals = metrics.pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed) == (1, 0, 0)


def test_what_was_handed_out_stays_as_it_was() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=5)
    fold = journal.fold()
    before = fold.metrics(journal.now).pipelines[0]
    later = Journal()
    later.add("pipeline.completed", pipeline_id=5)
    fold.feed_line(later.lines[0])
    assert before.status is None


def test_a_state_counts_however_it_is_spelled() -> None:
    journal = Journal()
    for number, word in enumerate(("SUCCESS", "passed", "FAILURE", "timed-out", "Cancelled", "odd")):
        journal.add("pipeline.completed", issue=1, pipeline_id=number, status=word)
    metrics = journal.metrics()
    states = [pipeline.status for pipeline in metrics.pipelines]
    assert states == ["success", "success", "failed", "timeout", "canceled", "odd"]
    totals = metrics.pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed, totals.first_attempt_pass) == (6, 2, 2, True)
