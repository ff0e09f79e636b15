"""Tests of runwatch.views.metadata_json."""

from __future__ import annotations

import msgspec

import metrics_samples as samples
from runwatch.fold.metrics import Metrics
from runwatch.views import metadata_json
from runwatch.views.facts import Facts


def test_the_names_and_values_are_those_of_the_specification() -> None:
    assert metadata_json.render(samples.full(), samples.facts()) == {
        "run_id": "20261020-142345-abc123",
        "project_id": 168,
        "framework": "baes",
        "mode": "implement_all",
        "llm_configuration": {"provider": "openai", "model": "gpt-4o", "temperature": 0.0},
        "start_time": samples.AT,
        "end_time": samples.LATER,
        "status": "failed",
        "reason": "step 002 failed: 2 checks failed",
        "exit_code": 3,
        "signal": None,
        "issues_processed": [123, "PROJ-9"],
        "total_errors": 1,
        "total_successes": 1,
        "git": {"branch": "main", "head": "a1" * 20, "base": "b2" * 20, "commits": 4, "dirty": True},
        "archive": {"file": "run.tar.gz", "size_bytes": 1_468_006, "sha256": "ab" * 32, "members": 42},
        "runwatch_version": "0.1.0",
    }


def test_a_live_run_has_no_stored_status_and_no_archive() -> None:
    value = metadata_json.render(Metrics())
    assert value["status"] is None
    assert value["archive"] is None
    assert value["git"] is None


def test_host_and_working_directory_are_there_only_when_they_are_to_be_published() -> None:
    assert {"host", "cwd"}.isdisjoint(metadata_json.render(samples.full(), samples.facts()))
    value = metadata_json.render(samples.full(), Facts(host="builder", cwd="/srv/project"))
    assert (value["host"], value["cwd"]) == ("builder", "/srv/project")


def test_thousands_of_issues_are_cut_with_their_count() -> None:
    metrics = samples.full()
    metrics.run.issues_processed = list(range(10_000))
    value = metadata_json.render(metrics)
    assert value["issues_processed_count"] == 10_000
    assert len(msgspec.json.encode(value)) < 64 * 1024
