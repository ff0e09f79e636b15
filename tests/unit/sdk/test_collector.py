"""The figures of one task of a runner."""

from __future__ import annotations

import io

import pytest

from runwatch.fold import Fold
from runwatch.sdk.collector import ExecutionMetrics, MetricsCollector, MetricsReporter
from sdk_recording import Recording


def _worked() -> MetricsCollector:
    collector = MetricsCollector("runner-1", "task-9", "checkout")
    collector.record_llm_call(1.5, 1000, 500, 500)
    collector.record_llm_call(2.0, 1500, 700, 800)
    for service, seconds in (("task_registry", 0.2), ("task_registry", 0.3), ("repo_pool", 1.0), ("extra", 4.0)):
        collector.record_external_service_call(service, seconds)
    return collector


FIGURES = {
    "llm_calls": 2, "llm_total_duration_seconds": 3.5, "llm_total_tokens": 2500, "llm_prompt_tokens": 1200,
    "llm_completion_tokens": 1300, "task_registry_calls": 2, "task_registry_duration_seconds": 0.5,
    "repo_pool_calls": 1, "repo_pool_duration_seconds": 1.0, "artifact_store_calls": 0,
    "artifact_store_duration_seconds": 0.0, "extra_calls": 1, "extra_duration_seconds": 4.0,
}  # fmt: skip


def test_the_figures_are_those_of_the_task_with_and_without_a_run() -> None:
    collector = _worked()
    metrics = collector.finalize()
    assert isinstance(metrics, ExecutionMetrics)
    assert metrics.to_dict() == FIGURES
    assert (metrics.llm_calls, metrics.repo_pool_calls, metrics.extra_duration_seconds) == (2, 1, 4.0)
    about = {"runner_id": "runner-1", "task_id": "task-9", "spec_name": "checkout"}
    assert collector.to_dict() == {**about, **FIGURES}
    with pytest.raises(AttributeError, match="no such service"):
        print(metrics.nothing_calls)


def test_in_a_run_the_task_is_an_issue_with_runner_and_spec_as_fields(recording: Recording) -> None:
    _worked().finalize()
    types = recording.types()
    assert (types[0], types[-1]) == ("issue.started", "issue.completed")
    call = recording.events("llm.completed")[0]
    assert (call["issue"], call["runner_id"], call["spec_name"]) == ("task-9", "runner-1", "checkout")
    fold = Fold()
    for line in recording.paths.journal.read_bytes().splitlines(keepends=True):
        fold.feed_line(line)
    metrics = fold.metrics("2026-11-21T10:00:00.000000Z")
    assert (metrics.run.llm_calls, metrics.run.tokens.total, metrics.run.llm_duration_s) == (2, 2500, 3.5)
    assert (metrics.issues[0].issue, metrics.issues[0].status) == ("task-9", "completed")
    assert {service.name: service.calls for service in metrics.services} == {
        "task_registry": 2, "repo_pool": 1, "extra": 1,
    }  # fmt: skip


def test_one_bad_value_leaves_the_rest_of_a_tasks_call(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    collector = MetricsCollector("runner-1", "task-9")
    collector.record_llm_call(float("nan"), 100, 60, 40.5)  # type: ignore[arg-type]  # as a program may
    collector.record_external_service_call("repo_pool", -1.0)
    figures = collector.finalize()
    assert (figures.llm_calls, figures.llm_prompt_tokens, figures.llm_total_tokens) == (1, 60, 100)
    assert figures.repo_pool_calls == 1
    (call,) = recording.events("llm.completed")
    assert "duration_s" not in call
    told = [warning["message"] for warning in recording.events("warning")]
    assert [" ".join(sentence.split()[:6]) for sentence in told] == [
        "a model call: duration_s is 'nan',", "a model call: completion_tokens is '40.5',",
        "a service call: duration_s is '-1.0',",
    ]  # fmt: skip
    assert capsys.readouterr().err.count("'nan'") == 1


def test_two_collectors_of_one_task_end_its_issue_once(recording: Recording) -> None:
    _worked().finalize()
    _worked().finalize()
    assert len(recording.events("issue.completed")) == 1


def test_the_report_shows_calls_with_their_average_and_the_services() -> None:
    out = io.StringIO()
    text = MetricsReporter().report(_worked().finalize(), file=out)
    assert out.getvalue() == text + "\n"
    lines = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in text.splitlines() if ":" in line}
    assert (lines["Calls"], lines["Average duration"], lines["Total tokens"]) == ("2", "1.75s", "2,500")
    assert (lines["Prompt tokens"], lines["Completion tokens"]) == ("1,200", "1,300")
    rows = {words[0]: words[1:] for line in text.splitlines() if len(words := line.split()) == 4}
    assert rows["task_registry"][0] == "2"
    assert rows["artifact_store"] == ["0", "0.0ms", "-"]


def test_a_task_without_calls_has_no_average() -> None:
    text = MetricsReporter().report(MetricsCollector("r", 1).finalize(), file=io.StringIO())
    assert "Average" not in text


def test_a_service_called_like_the_model_calls_does_not_hide_them() -> None:
    collector = MetricsCollector("r", 1)
    collector.record_llm_call(2.0, tokens_used=10)
    for name, seconds in (("llm", 1.0), ("llm", 1.0), ("llm", 1.0), ("llm_service", 4.0), ("llm_total", 8.0)):
        collector.record_external_service_call(name, seconds)
    figures = collector.to_dict()
    assert (figures["llm_calls"], figures["llm_total_duration_seconds"]) == (1, 2.0)
    assert (figures["llm_service_calls"], figures["llm_service_duration_seconds"]) == (1, 4.0)
    assert (figures["llm_service_service_calls"], figures["llm_total_service_duration_seconds"]) == (3, 8.0)
    metrics = collector.finalize()
    assert (metrics.llm_calls, metrics.llm_service_service_calls) == (1, 3)
    report = MetricsReporter().report(metrics, file=io.StringIO())
    assert [line.split()[:2] for line in report.splitlines() if "_service " in line] == [
        ["llm_service_service", "3"], ["llm_service", "1"], ["llm_total_service", "1"],
    ]  # fmt: skip


def test_the_same_figures_are_equal_and_say_what_they_are() -> None:
    collector = _worked()
    assert collector.finalize() == collector.finalize()
    shown = repr(collector.finalize())
    assert shown.startswith("ExecutionMetrics(llm_calls=2, ")
    assert "repo_pool_calls=1" in shown
    before = collector.finalize()
    collector.record_external_service_call("repo_pool", 1.0)
    assert collector.finalize() != before
    assert before != before.to_dict()
