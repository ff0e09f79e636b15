"""What a run offers; how it starts and ends is tested with real programs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from runwatch.sdk.run import RunLogger, current_run
from sdk_recording import Recording


@pytest.fixture
def run(recording: Recording) -> RunLogger:
    return RunLogger.around(recording.emitter)


def test_the_active_run_is_found_and_is_always_the_same_object(recording: Recording, run: RunLogger) -> None:
    assert current_run() is run is RunLogger.around(recording.emitter)
    assert (run.run_id, run.path) == (recording.paths.run_id, recording.paths.root)


def test_without_a_run_there_is_none() -> None:
    assert current_run() is None


def test_a_plan_says_how_many_steps_come_and_how_they_are_called(recording: Recording, run: RunLogger) -> None:
    run.plan(2, ["one", "two"])
    run.plan(3)
    run.plan("many")  # type: ignore[arg-type]  # a misuse
    first, second = recording.events("steps.planned")
    assert (first["total"], first["names"]) == (2, ["one", "two"])
    assert (second["total"], "names" in second) == (3, False)
    assert len(recording.events("warning")) == 1


def test_an_event_is_acknowledged(recording: Recording, run: RunLogger) -> None:
    assert run.emit("error", {"message": "x"}) is True
    assert run.emit(type="error", fields={"message": "y"}) is True
    assert [event["message"] for event in recording.events("error")] == ["x", "y"]


@pytest.mark.parametrize("type_name", ["run.started", "run.completed"])
def test_a_program_does_not_write_how_its_run_begins_and_ends(
    recording: Recording, run: RunLogger, type_name: str
) -> None:
    before = len(recording.events(type_name))
    assert run.emit(type_name, {"status": "completed", "framework": "f", "run_id": "r"}) is False
    assert len(recording.events(type_name)) == before
    assert "status.proposed" in recording.events("warning")[0]["message"]


def test_a_call_that_is_emitted_counts_under_any_clients_names(recording: Recording, run: RunLogger) -> None:
    assert run.emit("llm.completed", {"model": "gpt-4o", "input_tokens": 5, "output_tokens": 6})
    assert run.emit("llm.completed", {"input_tokens": "many", "output_tokens": 6})
    first, second = recording.events("llm.completed")
    assert (first["prompt_tokens"], first["completion_tokens"], second["completion_tokens"]) == (5, 6, 6)
    (warning,) = recording.events("warning")
    assert "input_tokens is 'many', no whole number" in warning["message"]
    assert run.emit("llm.completed", {"prompt_tokens": -5, "completion_tokens": 6, "max_tokens": -1})
    third = recording.events("llm.completed")[-1]
    assert ("prompt_tokens" in third, third["completion_tokens"], third["max_tokens"]) == (False, 6, -1)
    assert "prompt_tokens is '-5', no whole number, and is left out" in recording.events("warning")[-1]["message"]


def test_a_subscription_can_be_ended(run: RunLogger) -> None:
    seen: list[dict[str, Any]] = []
    there = threading.Event()

    def look(event: dict[str, Any]) -> None:
        seen.append(event)
        there.set()

    end = run.subscribe(look)
    run.emit("error", {"message": "x"})
    assert there.wait(30)
    end()
    run.emit("error", {"message": "y"})
    assert [event["message"] for event in seen] == ["x"]


def test_issues_are_registered_once(recording: Recording, run: RunLogger) -> None:
    run.add_issue(123)
    run.issue(123, "late title").record_error("E", "m")
    run.issue("T-7", "a title").finalize_issue("closed")
    started = [(event["issue"], event.get("title")) for event in recording.events("issue.started")]
    assert started == [(123, None), ("T-7", "a title")]


def test_a_question_is_the_runs(recording: Recording, run: RunLogger) -> None:
    with run.hitl("Go on?") as question:
        question.answer("yes")
    assert recording.types() == ["hitl.requested", "hitl.answered"]


def test_a_run_that_is_not_ours_to_end_is_proposed_a_status_once(recording: Recording, run: RunLogger) -> None:
    recording.paths.control.touch()  # a supervisor owns it; a program that owns a run of its own has the only say
    run.finalize_run("resolved")
    run.finalize_run("failed")
    (proposed,) = recording.events("status.proposed")
    assert proposed["status"] == "resolved"


@pytest.mark.parametrize(
    ("status", "warnings"),
    [("weird status", 1), ("completed", 0), ("Success", 0), ("failed", 0), ("timeout", 0), (None, 1)],
)
def test_a_status_that_nobody_knows_is_a_warning(
    recording: Recording, run: RunLogger, status: Any, warnings: int
) -> None:
    run.finalize_run(status)
    run.finalize_run("weird as well")
    told = recording.events("warning")
    assert len(told) == warnings
    assert all(str(status) in event["message"] for event in told)
