"""Tests of runwatch.views.metrics_json."""

from __future__ import annotations

import time

import msgspec

import metrics_samples as samples
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
