"""Tests of runwatch.views.metrics_json."""

from __future__ import annotations

import time

import msgspec

import metrics_samples as samples
from journals import Journal
from runwatch.fold.metrics import Metrics
from runwatch.views import metrics_json


def _written(metrics: Metrics) -> bytes:
    """The bytes that journal.atomic.write_json puts into the file."""
    return msgspec.json.format(msgspec.json.encode(metrics_json.render(metrics)), indent=2) + b"\n"


def test_the_run_section_has_the_names_that_others_rely_on() -> None:
    run = metrics_json.render(samples.full())["run"]
    expected = {
        "run_id": "20261020-142345-abc123",
        "project_id": 168,
        "llm_configuration": {"provider": "openai", "model": "gpt-4o", "temperature": 0.0},
        "duration_seconds": 761.5,
        "issues_processed": [123, "PROJ-9"],
        "total_successes": 1,
        "total_errors": 1,
        "success_rate": 50.0,
    }
    assert {name: run[name] for name in expected} == expected


def test_what_fits_is_whole_and_reads_back_as_the_same_metrics() -> None:
    value = metrics_json.render(samples.full())
    assert msgspec.convert(value, Metrics) == samples.full()
    assert not [name for name in value if name.endswith("_count")]


def test_a_file_of_any_run_stays_within_256_kib() -> None:
    for metrics in (samples.crowded(200), samples.crowded(5000), samples.hostile(), samples.crowded(500, "x" * 20_000)):
        assert len(_written(metrics)) <= 256 * 1024


def test_cut_lists_keep_their_ends_and_say_how_long_they_were() -> None:
    value = metrics_json.render(samples.crowded(5000))
    assert value["steps_count"] == 5000
    assert value["steps"][0]["step"] == 1
    assert value["steps"][-1]["step"] == 5000
    assert 2 <= len(value["steps"]) < 5000
    assert value["run"]["issues_processed_count"] == 5000
    assert value["cost_by_issue_count"] == 5000
    assert "series_count" not in value


def test_instruments_are_whole_however_much_else_there_is_unless_they_fill_the_file_themselves() -> None:
    for number, whole in ((5, True), (200, True), (5000, False)):
        metrics = samples.crowded(5000)
        (one, *_) = metrics.instruments
        metrics.instruments = [msgspec.structs.replace(one, name=f"counter_{at}") for at in range(number)]
        value = metrics_json.render(metrics)
        assert len(_written(metrics)) <= 256 * 1024
        assert (len(value["instruments"]) == number) is whole
        assert ("instruments_count" in value) is not whole


def test_lists_inside_an_issue_are_cut_too() -> None:
    metrics = samples.full()
    metrics.issues[0].pipelines = [samples.pipeline(at, "failed") for at in range(5000)]
    issue = metrics_json.render(metrics)["issues"][0]
    assert issue["pipelines_count"] == 5000
    assert issue["pipelines"][-1]["pipeline_id"] == 4999


def test_a_cut_file_still_reads_as_metrics() -> None:
    read = msgspec.json.decode(_written(samples.crowded(5000)), type=Metrics)
    assert read.run.run_id == "20261020-142345-abc123"
    assert read.steps[-1].step == 5000


def test_a_long_command_line_is_cut_with_its_count() -> None:
    metrics = samples.full()
    metrics.run.command = ["rm", *(f"file-{at}" for at in range(50_000))]
    assert metrics_json.render(metrics)["run"]["command_count"] == 50_001
    assert len(_written(metrics)) <= 256 * 1024


def test_a_long_run_is_cut_in_less_than_the_second_between_two_flushes() -> None:
    metrics = Metrics(steps=[samples.step(at) for at in range(5000)])
    began = time.process_time()
    metrics_json.render(metrics)
    assert time.process_time() - began < 1.0


def test_series_models_and_issues_by_the_thousand_fit_and_the_totals_stay() -> None:
    journal = Journal()
    journal.run_started()
    for at in range(1000):
        labels = {"run_id": f"run-{at}"}
        journal.add("metric.observed", name="dispatch_loop_iterations_total", kind="counter", value=1, labels=labels)
    for at in range(400):
        journal.add("task.completed", worker_profile=f"profile {at}", phase="work", status="done", duration_s=2)
    for at in range(5000):
        journal.add("llm.completed", model=f"model-{at}", provider="p", prompt_tokens=at, completion_tokens=1)
    for at in range(3000):
        journal.add("issue.completed", issue=f"issue {at}", status="success")
    metrics = journal.metrics()
    assert len(_written(metrics)) <= 256 * 1024
    value = metrics_json.render(metrics)
    assert (value["models_count"], value["issues_count"]) == (5000, 3000)
    assert "model-4999" in [model["model"] for model in value["models"]], "the largest stay"
    assert (value["run"]["llm_calls"], value["run"]["tokens"]["prompt"]) == (5000, sum(range(5000)))
    counted = {
        one["name"]: sum(each["value"] for each in one["series"])
        for one in value["instruments"]
        if one["kind"] == "counter"
    }
    assert counted["dispatch_loop_iterations_total"] == 1000
    assert counted["task_completion_total"] == 400
    assert counted["llm_requests_total"] == 5000
    assert counted["llm_tokens_total"] == sum(range(5000)) + 5000
    read = msgspec.json.decode(_written(metrics), type=Metrics)
    assert sum(len(one.series) for one in read.instruments) < 1000, "a scrape stays quick"


def test_whatever_a_program_tells_the_file_has_its_bound_and_the_totals_of_the_run() -> None:
    metrics = samples.hostile()
    metrics.run.llm_calls = 7
    (one, *_) = metrics.instruments
    (series, *_) = one.series
    wide = msgspec.structs.replace(series, labels={"tokens": "x" * 300_000, "series": "\x1b" * 100_000})
    edges = [float(edge) for edge in range(500)]
    buckets = msgspec.structs.replace(series, value=None, count=1, sum=1.0, buckets=[0] * 501)
    metrics.instruments = [
        msgspec.structs.replace(one, series=[wide]),
        *(msgspec.structs.replace(one, name=f"h{at}", edges=edges, series=[buckets] * 5) for at in range(40)),
    ]
    value = metrics_json.render(metrics)
    assert len(_written(metrics)) <= 256 * 1024
    assert (value["run"]["llm_calls"], value["instruments_count"]) == (7, 41)
