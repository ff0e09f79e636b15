"""Members of the program's own enumerations, wherever a word is wanted: an orchestrator's statuses are that."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

import pytest

import runwatch
from runwatch.sdk import opening
from runwatch.sdk.plain import text
from sdk_recording import Recording


class _Mixed(str, enum.Enum):  # noqa: UP042 - as many programs still write it
    OK = "success"
    BAD = "failed"
    MODEL = "gpt-4o"


class _Plain(enum.Enum):
    OK = "success"
    BAD = "failed"
    MODEL = "gpt-4o"


class _Strict(enum.StrEnum):
    OK = "success"
    BAD = "failed"
    MODEL = "gpt-4o"


class _Numbered(enum.IntEnum):
    SUCCESS = 1
    FAILED = 2


class _Flags(enum.Flag):
    ONE = 1
    TWO = 2


@pytest.mark.parametrize("kind", [_Mixed, _Plain, _Strict])
def test_a_member_of_an_enumeration_is_the_word_that_it_holds(recording: Recording, kind: Any) -> None:
    issue = runwatch.IssueTracker(recording.paths.run_id, 1)
    issue.start_agent(kind.MODEL)
    issue.end_agent(kind.MODEL, kind.BAD)
    issue.record_pipeline_attempt(1, kind.OK)
    issue.record_pipeline_attempt(2, kind.BAD)
    issue.record_token_usage("coding", {"prompt_tokens": 3, "model": kind.MODEL})
    with runwatch.llm_metrics.track_request(kind.MODEL, "p") as call:
        call["result"] = kind.OK
    issue.finalize_issue(kind.OK)
    metrics = recording.metrics()
    assert [call.get("model") for call in recording.events("llm.completed")] == ["gpt-4o", "gpt-4o"]
    assert (metrics.run.total_successes, metrics.run.total_errors) == (1, 0)
    pipelines = metrics.issues[0].pipeline_totals
    assert (pipelines.succeeded, pipelines.failed) == (1, 1)
    assert metrics.agents[0].failures == 1
    assert not any("Plain" in warning["message"] for warning in recording.events("warning"))
    assert {call.get("result", "success") for call in recording.events("llm.completed")} == {"success"}


def test_a_member_that_holds_no_word_is_meant_by_its_name(recording: Recording) -> None:
    issue = runwatch.IssueTracker(recording.paths.run_id, 1)
    issue.record_pipeline_attempt(1, _Numbered.FAILED)  # type: ignore[arg-type]  # as programs do
    issue.finalize_issue(_Numbered.SUCCESS)  # type: ignore[arg-type]
    assert [recording.events(name)[0]["status"] for name in ("pipeline.completed", "issue.completed")] == [
        "failed",
        "SUCCESS",
    ]
    assert recording.events("warning") == []
    assert text(_Flags(0))


def test_the_model_may_be_configured_by_members(tmp_path: Path) -> None:
    config = {"llm_provider": _Plain.MODEL, "llm_model": _Mixed.MODEL, "mode": _Plain.OK}
    wish = opening.Wish(framework="unit", run_id=None, project_id=None, runs_dir=tmp_path / "runs", config=config)
    started = opening.start(wish)
    first = Recording(started.emitter).lines()[0]
    started.emitter.close()
    assert started.lock is not None
    started.lock.close()
    assert (first["llm"], first["mode"]) == ({"provider": "gpt-4o", "model": "gpt-4o"}, "success")
    assert opening.configured(None, config)["llm"] == {"provider": "gpt-4o", "model": "gpt-4o"}
