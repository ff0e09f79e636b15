"""What is typed as an event is counted, or refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runwatch.cli.emit_command import command
from runwatch.errors import UsageError


@pytest.fixture
def emit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    (tmp_path / "events.jsonl").write_bytes(b"")
    monkeypatch.setenv("RUNWATCH_RUN_DIR", str(tmp_path))

    def emit(*arguments: str) -> dict[str, Any]:
        done = CliRunner().invoke(command, list(arguments), standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        event: dict[str, Any] = json.loads((tmp_path / "events.jsonl").read_bytes().splitlines()[-1])
        return {**event, "stderr": done.stderr}

    return emit


def test_tokens_and_cost_of_a_call_are_taken_under_any_clients_names(emit: Callable[..., dict[str, Any]]) -> None:
    event = emit("llm.completed", "model=gpt-4o", "input_tokens=5", "output_tokens=6", "cost=0.25")
    assert (event["prompt_tokens"], event["completion_tokens"], event["cost_usd"]) == (5, 6, 0.25)
    event = emit("llm.completed", 'usage={"input_tokens": 5, "cache_read_input_tokens": 7}', "result=success")
    assert (event["prompt_tokens"], event["cache_read_tokens"]) == (12, 7)
    event = emit("llm.completed", "prompt_tokens=5", "cache_read_tokens=2")
    assert (event["prompt_tokens"], event["cache_read_tokens"], event["stderr"]) == (5, 2, "")


def test_what_is_no_number_of_tokens_is_refused(emit: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match=r"llm.completed: input_tokens is 'many', no whole number"):
        emit("llm.completed", "input_tokens=many")
    for field in ("prompt_tokens=-5", "cost_usd=-0.1", "output_tokens=-5"):
        with pytest.raises(UsageError, match=rf"llm.completed: {field.partition('=')[0]} is '-[\d.]+', no "):
            emit("llm.completed", "model=gpt-4o", field)


def test_a_number_that_no_step_or_plan_has_is_refused_in_words(emit: Callable[..., dict[str, Any]]) -> None:
    for line, said in (
        ("step.started step=-5", "step.started: step must be at least 0"),
        ("tool.completed tool=t step=-1", "tool.completed: step must be at least 0"),
        ("step.started step=99999999999", "step.started: step must be at most 1000000"),
        ("steps.planned total=-3", "steps.planned: total must be at least 0"),
    ):
        with pytest.raises(UsageError, match=rf"\A{said}; give it another value\.\Z"):
            emit(*line.split())
    assert emit("step.started", "step=1000000")["step"] == 1000000


def test_a_number_of_tokens_under_a_name_that_nobody_knows_is_told_of(emit: Callable[..., dict[str, Any]]) -> None:
    event = emit("llm.completed", "model=gpt-4o", "tokens_in=5")
    assert event["tokens_in"] == 5
    assert "tokens_in is none of the names that tokens have" in event["stderr"]
    assert "prompt_tokens" in event["stderr"]


def test_what_is_probably_not_meant_is_recorded_and_told_of(
    emit: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    for line, told in (
        ("agent.compleated agent=a", "agent.compleated is no type of event that counts: is agent.completed meant?"),
        ("agent.completed agent=a sucess=false", "agent.completed: sucess is no field that counts: is success meant?"),
        ("pipeline.completed pipeline_id=7 status=odd", "pipeline 7: status 'odd' is none of success"),
        ("issue.completed issue=3 status=okay", "issue 3 ended as 'okay', which counts as an error"),
        ("outcome.verified issue=3 success=true source=aliens", "outcome source 'aliens' is none of git, forge"),
    ):
        arguments = line.split()
        warning = emit(*arguments)
        assert warning["type"] == "warning"
        assert warning["message"].startswith(told)
        assert warning["stderr"].startswith(f"runwatch: {told}")
        recorded = json.loads((tmp_path / "events.jsonl").read_bytes().splitlines()[-2])
        assert recorded["type"] == arguments[0]
    for line in (
        "deploy.done where=here",
        "agent.completed agent=a own=1",
        "issue.completed issue=1 status=Merged",
        "pipeline.completed pipeline_id=7 status=PASSED",
        "pipeline.completed pipeline_id=7 status=running",
        "llm.completed model=gpt-4o input_tokens=5",
    ):
        assert emit(*line.split())["stderr"] == ""


def test_how_a_list_is_written_is_said_where_one_is_wanted(emit: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match=r"a list is written as JSON, such as failed_jobs='\[\"a b\"\]'"):
        emit("pipeline.completed", "pipeline_id=7", "failed_jobs=a b")
    assert emit("pipeline.completed", "pipeline_id=7", 'failed_jobs=["a b"]')["failed_jobs"] == ["a b"]
    with pytest.raises(UsageError, match="must be a number, not text; give it another value"):
        emit("pipeline.completed", "pipeline_id=7", "queued_s=soon")
