"""What a program passes that cannot be meant: nothing raises into it, and it is told."""

from __future__ import annotations

import enum
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runwatch
from runwatch.sdk.given import folder, harmless, seconds, truth
from runwatch.sdk.issues import IssueTracker
from runwatch.sdk.run import RunLogger
from sdk_recording import Recording


class Odd:
    """A value that answers every question with an exception, as an array does some."""

    def _refuse(self, *args: Any) -> Any:
        raise RuntimeError("no")

    __bool__ = __str__ = __repr__ = __float__ = __int__ = __iter__ = __len__ = __eq__ = __hash__ = _refuse  # type: ignore[assignment]
    __call__ = __index__ = __fspath__ = __format__ = __getitem__ = __lt__ = _refuse


ODD: Any = Odd()
VALUES: list[Any] = [None, -1, float("nan"), "", "a/b\0", b"x", [], {}, object(), ODD, "\ud800", 10**30]


class _Forge:
    def latest_pipeline(self, branch: str) -> None:
        return None

    pipeline = latest_pipeline


def _entered(block: Any) -> None:
    with block:
        pass


def _filled(value: Any) -> None:
    with runwatch.git_metrics.track_merge() as merge:
        merge.update(result=value, files_modified=value, conflict_count=value, method=value)
    with runwatch.llm_metrics.track_request(value, value) as request:
        request.update(prompt_tokens=value, cost=value, result=value, model=value)


Call = Callable[[RunLogger, IssueTracker, Any], object]
CALLS: dict[str, Call] = {
    "plan": lambda run, _, v: (run.plan(v), run.plan(3, v)),
    "step": lambda run, _, v: (_entered(run.step(v)), _entered(run.step("a", v))),
    "hitl": lambda run, _, v: _entered(run.hitl(v)),
    "issue": lambda run, _, v: (run.issue(v), run.issue("q", v), runwatch.IssueTracker(v, 1)),
    "emit": lambda run, _, v: (run.emit(v), run.emit("x", v), run.emit("x", {"a": v})),
    "agent": lambda _, issue, v: (
        issue.start_agent(v, max_attempts=v), issue.end_agent(v, v, v), issue.start_agent("a"), issue.end_agent("a", v)
    ),
    "usage": lambda _, issue, v: (issue.record_token_usage(v, v), issue.record_token_usage("a", {"cost": v})),
    "pipeline": lambda _, issue, v: (
        issue.record_pipeline_attempt(v, v, v, queue_time=v, failed_jobs=v, rerun=v, attempt=v, started_at=v, odd=v)
    ),
    "debugging": lambda _, issue, v: (
        issue.start_debugging_cycle(v, v, v), issue.record_debug_attempt(), issue.end_debugging_cycle(v, v)
    ),
    "facts": lambda _, issue, v: (
        issue.record_error(v, v), issue.record_coverage(v), issue.record_outcome(v, v, v), issue.finalize_issue(v)
    ),
    "blocks": lambda _, __, v: _filled(v),
    "collector": lambda _, __, v: (
        runwatch.MetricsCollector(v, v, v).finalize(v),
        runwatch.MetricsCollector("r", "t", "s").record_llm_call(v, v, v, v),
        runwatch.MetricsReporter().report(v, v),
    ),
    "tools": lambda _, __, v: (_entered(runwatch.tool(v)), _entered(runwatch.service(v, v))),
    "health": lambda _, __, v: (
        runwatch.HealthStatus().update_service_status(v, v),
        runwatch.HealthCheckServer(0, v).stop(),
        runwatch.HealthCheckServer(0, host=v).stop(),
        runwatch.check_external_services(timeout_s=v, a_client=None),
    ),
    "monitor": lambda _, issue, v: (
        runwatch.PipelineMonitor(v, v, poll_s=v, timeout_s=v),
        runwatch.PipelineMonitor(_Forge(), issue, poll_s=0, timeout_s=0).track_pipeline_sync(v, v, commit_sha=v),
    ),
    "code": lambda _, __, v: runwatch.CodeMetricsCollector(v, base=v, coverage=v).collect_for_branch_sync(v, v),
    "instruments": lambda _, __, v: (
        runwatch.git_metrics.merge_total.labels(v).inc(v),
        runwatch.task_metrics.retry_count.observe(v),
        runwatch.update_task_state_gauges([v]),
        runwatch.update_task_state_gauges({"a": v}),
        runwatch.estimate_llm_cost(v, v, v),
    ),
    "logs": lambda _, __, v: (
        runwatch.get_logger(f"odd{id(v)}", v).info("x"),
        runwatch.get_logger(v),
        runwatch.DynamicFileHandler(v, v),
        runwatch.get_runner_logger(v, v, v).info("x", a=v),
        runwatch.LogContext.get_instance().set_run_context(v, v, v),
        runwatch.LogContext.get_instance().set_step_context(v),
        runwatch.LogContext.get_instance().clear_step_context(),
    ),
    "ends": lambda _, __, v: (
        runwatch.LogSummarizer(v, v, v).generate_summary(a=v),
        runwatch.LogSummarizer(v, v, v).write_summary(v),
        runwatch.Archiver(v).create_archive(v, v, v),
        runwatch.Archiver(v).verify(),
        runwatch.UsageReconciler(v).check(v),
    ),
}  # fmt: skip
"""Public names and whatever they take."""


@pytest.mark.parametrize("name", CALLS)
def test_nothing_raises_into_the_program_whatever_it_passes(
    recording: Recording, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    run = RunLogger.around(recording.emitter)
    for number, value in enumerate(VALUES):
        CALLS[name](run, run.issue(f"issue {number}"), value)


def test_a_port_that_is_in_use_is_a_warning_and_serves_nothing(recording: Recording) -> None:
    with runwatch.HealthCheckServer(0) as first, runwatch.HealthCheckServer(first.port) as second:
        assert (first.port > 0, second.port) == (True, 0)
        second.status.update_service_status("a", True)
    (warning,) = recording.events("warning")
    assert warning["message"].endswith("(Address already in use): give another one, 0 for any.")


def test_names_that_are_no_list_leave_the_number_of_steps(recording: Recording) -> None:
    RunLogger.around(recording.emitter).plan(3, 5)  # type: ignore[arg-type]  # the mistake
    assert recording.events("steps.planned")[0]["total"] == 3
    assert "not 5" in recording.events("warning")[0]["message"]


class _Verdict(enum.Enum):
    GOOD = "passed"
    BAD = "failed"
    YES = True
    NO = False


@pytest.mark.parametrize(
    ("value", "is_so"),
    [
        ("failed", False), ("False", False), (" no ", False), ("0", False), ("timed out", False), (_Verdict.BAD, False),
        ("success", True), ("TRUE", True), ("yes", True), ("1", True), ("merged", True), (_Verdict.GOOD, True),
    ],
)  # fmt: skip
def test_text_is_true_or_false_by_what_it_says_and_is_told_of_once(
    recording: Recording, value: Any, is_so: bool
) -> None:
    issue = IssueTracker(recording.paths.run_id, 1)
    for _ in range(2):
        issue.start_agent("testing")
        issue.end_agent("testing", value, "boom")
    issue.record_outcome(value, "git")
    assert [event.get("success", True) for event in recording.events("agent.completed")] == [is_so, is_so]
    assert recording.events("outcome.verified")[0]["success"] is is_so
    warnings = [warning["message"] for warning in recording.events("warning")]
    assert len(warnings) == 2
    assert warnings[0].endswith(f"taken as {is_so}: pass True or False.")


@pytest.mark.parametrize("value", ["maybe", "", None])
def test_an_outcome_that_is_neither_true_nor_false_is_left_out_and_told_of(recording: Recording, value: Any) -> None:
    issue = IssueTracker(recording.paths.run_id, 1)
    issue.record_outcome(value, "git")
    issue.start_agent("testing")
    issue.end_agent("testing", "maybe")  # type: ignore[arg-type]  # the mistake
    assert recording.events("outcome.verified") == []
    assert recording.events("agent.completed")[0]["success"] is False
    first, second = (warning["message"] for warning in recording.events("warning"))
    assert first == f"record_outcome success {value!r} is neither true nor false: the outcome is left out."
    assert second.endswith("'maybe' is neither true nor false: it counts as false.")


def test_members_that_hold_yes_or_no_are_that(recording: Recording) -> None:
    assert (truth(_Verdict.YES, "success"), truth(_Verdict.NO, "success")) == (True, False)
    assert recording.events("warning") == []


def test_who_cannot_know_an_outcome_is_told_of(recording: Recording) -> None:
    issue = IssueTracker(recording.paths.run_id, 1)
    for source in ("git", "forge", "ci", "person", "aliens"):
        issue.record_outcome(True, source)
    assert len(recording.events("outcome.verified")) == 5
    (warning,) = recording.events("warning")
    assert warning["message"] == "outcome source 'aliens' is none of git, forge, ci, person; the outcome counts."


def test_what_is_taken_instead_is_told_of(recording: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    assert (truth(ODD, "success"), truth([1], "success")) == (False, True)
    assert (seconds("soon", "poll_s", 7.0), seconds(-3, "poll_s", 7.0), seconds("2", "poll_s", 7.0)) == (7.0, 0.0, 2.0)
    assert not folder(3.5, "run_dir").exists()
    assert folder("a", "run_dir") == Path("a")
    messages = [warning["message"] for warning in recording.events("warning")]
    assert messages == [
        "success <Odd without text> is neither true nor false: it counts as false.",
        "poll_s 'soon' is no number of seconds: 7 is taken.",
        "run_dir 3.5 is no folder's path.",
    ]
    assert capsys.readouterr().err.count("runwatch: ") == 3


def test_what_raises_is_told_of_and_answered(recording: Recording) -> None:
    @harmless("nothing")
    def fails(number: int) -> str:
        return str(1 // number)

    assert (fails(0), fails(1)) == ("nothing", "1")
    (warning,) = recording.events("warning")
    assert "ZeroDivisionError" in warning["message"]


def test_a_report_goes_where_it_can(recording: Recording) -> None:
    out = io.StringIO()
    metrics = runwatch.MetricsCollector("r", "t", "s").finalize()
    assert runwatch.MetricsReporter().report(metrics, out) in out.getvalue()
    assert runwatch.MetricsReporter().report(metrics.to_dict(), out) == runwatch.MetricsReporter().report(metrics, out)


def test_a_report_takes_figures_in_any_form_and_says_what_it_wants(recording: Recording) -> None:
    collector = runwatch.MetricsCollector("r", "t", "s")
    collector.record_llm_call(3.5, 10, 4, 6)
    out = io.StringIO()
    expected = runwatch.MetricsReporter().report(collector.finalize(), out)
    for form in (collector, collector.to_dict(), {**collector.to_dict(), "odd_calls": "many", "x_calls": None}):
        assert runwatch.MetricsReporter().report(form, out) == expected
    assert "queue" in runwatch.MetricsReporter().report({"queue_calls": 2}, out)
    mistakes: list[Any] = [None, {}, {"llm_calls": "many"}, 3]
    assert [runwatch.MetricsReporter().report(mistake, out) for mistake in mistakes] == [""] * 4
    messages = [warning["message"] for warning in recording.events("warning")]
    assert messages[0] == "report wants what MetricsCollector.finalize() returns, not None."
    assert len(messages) == 4
