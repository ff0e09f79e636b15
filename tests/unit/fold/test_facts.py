"""What the run says of itself; above all, which model it uses."""

from __future__ import annotations

from typing import Any

import pytest

from journals import Journal


def llm(explicit: dict[str, Any] | None, *seen: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The model of a run that says ``explicit`` and makes these calls."""
    journal = Journal()
    journal.run_started(**({} if explicit is None else {"llm": explicit}))
    for call in seen:
        journal.add("llm.completed", **call)
    found = journal.metrics().run.llm_configuration
    return found.provider, found.model, found.temperature


CLAUDE = {"provider": "anthropic", "model": "claude"}


@pytest.mark.parametrize(
    ("explicit", "seen", "expected"),
    [
        pytest.param({"provider": "p", "model": "m", "temperature": 0.0}, [CLAUDE], ("p", "m", 0.0), id="explicit"),
        pytest.param(None, [CLAUDE, {"model": "other"}], ("anthropic", "claude", None), id="the first one seen"),
        pytest.param(None, [{}, CLAUDE], ("anthropic", "claude", None), id="the first that names one"),
        pytest.param({"temperature": 0.5}, [CLAUDE], ("anthropic", "claude", 0.5), id="field by field"),
        pytest.param({"model": "claude"}, [CLAUDE], ("anthropic", "claude", None), id="a missing provider"),
        pytest.param({"model": "m"}, [CLAUDE], (None, "m", None), id="no provider of another model"),
        pytest.param({"provider": "p"}, [{"model": "claude"}], ("p", "claude", None), id="a missing model"),
        pytest.param({"provider": "p"}, [CLAUDE], ("p", None, None), id="no model of another provider"),
        pytest.param(None, [], (None, None, None), id="nothing said"),
        pytest.param(
            {"provider": "unknown", "model": "Unknown"}, [CLAUDE], ("anthropic", "claude", None), id="no names"
        ),
        pytest.param(
            {"provider": " ", "model": "claude"}, [CLAUDE], ("anthropic", "claude", None), id="one is no name"
        ),
        pytest.param(None, [{"model": "none"}, CLAUDE], ("anthropic", "claude", None), id="a call that names none"),
        pytest.param({"model": "unknown"}, [], (None, None, None), id="and nothing else said"),
    ],
)
def test_the_model_is_what_was_said_else_the_first_seen(
    explicit: dict[str, Any] | None, seen: list[dict[str, Any]], expected: tuple[Any, Any, Any]
) -> None:
    assert llm(explicit, *seen) == expected


def test_a_model_that_was_only_asked_is_known_too() -> None:
    journal = Journal()
    journal.add("llm.started", **CLAUDE)
    assert journal.metrics().run.llm_configuration.model == "claude"


def test_the_start_is_said_once_and_the_end_is_the_seal() -> None:
    journal = Journal()
    journal.run_started(run_id="first", framework="f", project_id=3, mode="fast", command=["a", "b"])
    journal.run_started(run_id="second")
    journal.add("status.proposed", status="failed")
    assert journal.wait(2.5).metrics().run.duration_seconds == 2.5
    assert journal.metrics().run.status is None
    journal.run_completed("crashed", after=1, signal="SIGKILL", reason="killed")
    run = journal.metrics().run
    assert (run.run_id, run.framework, run.project_id, run.mode, run.command) == ("first", "f", 3, "fast", ["a", "b"])
    assert (run.status, run.signal, run.reason, run.exit_code) == ("crashed", "SIGKILL", "killed", None)
    assert (run.proposed_status, run.duration_seconds, run.end_time) == ("failed", 3.5, journal.now)


def test_a_program_that_joined_has_its_say_value_by_value() -> None:
    journal = Journal()
    journal.run_started(llm={"provider": "p", "model": "m", "temperature": 0.5}, mode="nightly")
    journal.add("run.configured", llm={"model": "other", "temperature": 0.0}, project_id=168)
    journal.add("run.configured")
    run = journal.metrics().run
    said = run.llm_configuration
    assert (said.provider, said.model, said.temperature) == ("p", "other", 0.0)
    assert (run.mode, run.project_id, run.framework) == ("nightly", 168, "baes")


def test_what_a_program_says_before_the_run_started_changes_nothing() -> None:
    journal = Journal()
    journal.add("run.configured", mode="x")
    journal.run_started()
    assert journal.metrics().run.mode is None
