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


def test_times_that_nobody_measured_are_not_told_as_0() -> None:
    journal = Journal()
    assert (journal.metrics().pipeline_totals.queued_s, journal.metrics().pipeline_totals.duration_s) == (None, None)
    journal.add("pipeline.completed", issue=1, pipeline_id=1, status="failed")
    journal.add("pipeline.completed", issue=1, pipeline_id=2, queued_s=0)
    for totals in (journal.metrics().pipeline_totals, journal.metrics().issues[0].pipeline_totals):
        assert (totals.queued_s, totals.duration_s) == (0.0, None)


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


def test_an_end_that_is_told_again_is_one_attempt_and_what_arrives_later_measures_nothing() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=1, commit_sha="abcdef1")
    journal.add("pipeline.completed", after=20, pipeline_id=1, status="failed", failed_jobs=["lint"])
    journal.add("pipeline.completed", after=5, pipeline_id="1", status="FAILURE", commit_sha="abcdef123")
    metrics = journal.metrics()
    totals, pipeline = metrics.pipeline_totals, metrics.pipelines[0]
    assert (totals.attempts, totals.failed, totals.duration_s, pipeline.failed_jobs) == (1, 1, 20.0, ["lint"])
    assert pipeline.end_time == "2026-11-21T10:00:20.000000Z"


def test_another_state_or_another_commit_is_another_attempt() -> None:
    journal = Journal()
    for status, sha in (("failed", "abc"), ("failed", "def"), ("failed", None), ("success", "ghi"), ("failed", None)):
        journal.add("pipeline.completed", issue=1, pipeline_id="5", status=status, commit_sha=sha, failed_jobs=["x"])
    metrics = journal.metrics()
    totals = metrics.pipeline_totals
    assert (totals.attempts, totals.failed, totals.success_rate, totals.first_attempt_pass) == (4, 3, 25.0, False)
    assert [pipeline.attempt for pipeline in metrics.pipelines] == [1, 2, 3, 4]
    assert [pipeline.commit_sha for pipeline in metrics.pipelines] == ["abc", "def", "ghi", None]


def test_what_starts_after_its_end_is_another_attempt_and_a_start_written_late_is_not() -> None:
    journal = Journal()
    for _ in range(2):
        journal.add("pipeline.started", after=1, pipeline_id=5)
        journal.add("pipeline.completed", after=30, pipeline_id=5, status="failed")
    assert journal.metrics().pipeline_totals.attempts == 2
    late = Journal()
    late.add("pipeline.completed", pipeline_id=5, status="failed")
    late.add("pipeline.started", pipeline_id=5)
    assert late.metrics().pipeline_totals.attempts == 1


def test_what_the_forge_measured_stays_when_the_program_tells_of_it_too() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=77, commit_sha="abc", attempt=1)
    measured = {"queued_s": 12.0, "duration_s": 120.0, "failed_jobs": ["test"]}
    times = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T10:02:00Z"}
    journal.add("pipeline.completed", pipeline_id=77, status="failed", attempt=1, **measured, **times)
    before = journal.metrics().pipelines
    journal.add("pipeline.completed", after=0.04, pipeline_id=77, status="failed", commit_sha="abc", attempt=1)
    assert journal.metrics().pipelines == before
    assert (before[0].duration_s, before[0].end_time) == (120.0, "2026-11-20T10:02:00.000000Z")
    journal.add("pipeline.completed", pipeline_id=77, status="failed", attempt=1, duration_s=121.5)
    assert journal.metrics().pipelines[0].duration_s == 121.5, "another measurement counts"


def test_an_end_after_all_takes_the_place_of_a_wait_that_was_given_up() -> None:
    journal = Journal()
    journal.add("pipeline.started", pipeline_id=77)
    given_up = {"status": "timeout", "error_type": "timeout", "failed_jobs": ["x"], "queued_s": 3.0, "goes_on": True}
    journal.add("pipeline.completed", after=5, pipeline_id=77, **given_up)
    assert journal.metrics().pipeline_totals.failed == 1
    journal.add("pipeline.completed", after=5, pipeline_id=77, status="success")
    (pipeline,) = journal.metrics().pipelines
    assert (pipeline.status, pipeline.error_type, pipeline.failed_jobs) == ("success", None, [])
    assert (pipeline.queued_s, pipeline.duration_s, pipeline.end_time) == (3.0, 10.0, "2026-11-21T10:00:10.000000Z")


def test_processes_that_each_began_at_1_are_numbered_one_after_the_other() -> None:
    journal = Journal()
    for number in (101, 102, 103):
        journal.add("pipeline.started", issue=7, pipeline_id=number, attempt=1, writer=f"w{number}")
        journal.add("pipeline.completed", issue=7, pipeline_id=number, attempt=1, writer=f"w{number}")
    assert [(each.pipeline_id, each.attempt) for each in journal.metrics().pipelines] == [(101, 1), (102, 2), (103, 3)]


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
    journal.add("pipeline.completed", pipeline_id=5, status="failed", error_type="lint")
    metrics = journal.metrics()
    assert (metrics.issues[0].pipeline_totals.failed, metrics.pipelines[0].error_type) == (1, "lint")


def test_a_pipeline_under_way_at_the_end_is_an_interrupted_attempt() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("pipeline.started", pipeline_id=5)
    journal.run_completed(after=7)
    metrics = journal.metrics()
    assert (metrics.pipelines[0].status, metrics.pipelines[0].duration_s) == ("interrupted", 7.0)
    totals = metrics.pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed) == (1, 0, 0)


def test_a_pipeline_told_state_by_state_is_one_attempt_that_ends_with_its_final_state() -> None:
    journal = Journal()
    journal.add("issue.started", issue=1)
    times = {"queued_s": 3.0, "started_at": "2026-11-21T09:59:00Z"}
    journal.add("pipeline.completed", issue=1, pipeline_id=5, status="pending", commit_sha="abc")
    journal.add("pipeline.completed", after=4, issue=1, pipeline_id=5, status="RUNNING", attempt=1, **times)
    metrics = journal.metrics()
    (pipeline,) = metrics.pipelines
    assert (pipeline.status, pipeline.end_time, pipeline.commit_sha, pipeline.queued_s) == (None, None, "abc", 3.0)
    assert pipeline.start_time == "2026-11-21T09:59:00.000000Z"
    assert (metrics.pipeline_totals.attempts, metrics.pipeline_totals.success_rate) == (0, None)
    journal.add("pipeline.completed", after=6, issue=1, pipeline_id=5, status="success", duration_s=6)
    journal.add("issue.completed", issue=1, status="success")
    metrics = journal.metrics()
    totals = metrics.pipeline_totals
    assert (totals.attempts, totals.success_rate, totals.first_attempt_pass) == (1, 100.0, True)
    assert metrics.issues[0].first_time_right is True
    assert [(each.status, each.duration_s) for each in metrics.pipelines] == [("success", 6.0)]


def test_an_attempt_that_never_ended_is_in_no_percentage() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("pipeline.completed", pipeline_id=5, status="waiting_for_resource")
    journal.run_completed(after=7)
    metrics = journal.metrics()
    totals = metrics.pipeline_totals
    assert [pipeline.status for pipeline in metrics.pipelines] == ["interrupted"]
    assert (totals.attempts, totals.success_rate, totals.first_attempt_pass) == (1, None, None)


def test_a_state_told_after_the_end_is_that_of_another_attempt() -> None:
    journal = Journal()
    for status in ("created", "failed", "in progress", "success"):
        journal.add("pipeline.completed", after=1, pipeline_id=5, status=status)
    totals = journal.metrics().pipeline_totals
    assert (totals.attempts, totals.failed, totals.success_rate) == (2, 1, 50.0)


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


def test_an_end_in_a_word_that_nobody_knows_is_in_no_percentage_and_passes_nothing() -> None:
    journal = Journal()
    journal.add("pipeline.completed", issue=1, pipeline_id=7, status="frobnicate")
    journal.add("issue.completed", issue=1, status="success")
    totals = journal.metrics().pipeline_totals
    assert (totals.attempts, totals.succeeded, totals.failed, totals.success_rate) == (1, 0, 0, None)
    assert (totals.first_attempt_pass, journal.metrics().issues[0].first_time_right) == (None, None)
    journal.add("pipeline.completed", issue=1, pipeline_id=8, status="success")
    totals = journal.metrics().issues[0].pipeline_totals
    assert (totals.attempts, totals.success_rate, totals.first_attempt_pass) == (2, 100.0, None)
