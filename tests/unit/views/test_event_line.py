"""Tests of runwatch.views.event_line and of the wordings in runwatch.views.event_phrases."""

from __future__ import annotations

import json

import pytest

from runwatch.events import TYPES, Event, Unknown, build
from runwatch.views import event_line
from runwatch.views.event_line import ProjectedLine

SILENT = {"metric.observed", "resource.sample"}
DEMANDED = {
    "framework": "baes",
    "run_id": "r1",
    "status": "failed",
    "total": 3,
    "question": "Merge?",
    "ref": "w1:2",
    "tool": "read",
    "service": "registry",
    "healthy": True,
    "operation": "merge",
    "percent": 81.2,
    "name": "n",
    "value": 1.0,
    "message": "m",
    "rule": "max_cost_usd",
    "reason": "killed",
    "dropped": 3,
    "what": "tokens",
    "success": True,
    "pipeline_id": 4258,
}


def _event(type_name: str, **fields: object) -> Event:
    demanded = {field: value for field, value in DEMANDED.items() if field in TYPES[type_name].__struct_fields__}
    built = build(type_name, {**demanded, "ts": "2026-11-21T10:00:00.000000Z", **fields})
    assert isinstance(built, Event)
    return built


def _line(type_name: str, **fields: object) -> ProjectedLine:
    line = event_line.render(_event(type_name, **fields))
    assert line is not None
    return line


@pytest.mark.parametrize("type_name", sorted(TYPES))
def test_every_event_but_samples_and_instruments_leaves_a_readable_line(type_name: str) -> None:
    lines = event_line.render_all(_event(type_name))
    assert bool(lines) == (type_name not in SILENT)
    for line in lines:
        assert line.message.strip()
        assert "None" not in line.message


@pytest.mark.parametrize(
    ("component", "types"),
    [
        (
            "adapter",
            "llm.started llm.retry llm.completed service.started service.completed service.retry tool.completed",
        ),
        ("metrics", "llm.priced"),
        ("validator", "service.health coverage.measured tests.measured"),
        ("orchestrator", "run.started step.started step.completed agent.completed pipeline.completed debug.started"),
    ],
)
def test_each_event_goes_to_the_component_it_belongs_to(component: str, types: str) -> None:
    assert {_line(type_name).component for type_name in types.split()} == {component}


def test_an_answer_of_a_model_leaves_its_tokens_and_cost_in_the_metrics_log() -> None:
    event = _event(
        "llm.completed", model="gpt-4o", prompt_tokens=1234, completion_tokens=567, cost_usd=0.0425, duration_s=2.5
    )
    assert event_line.render_all(event) == (
        ProjectedLine("adapter", "INFO", "answer  model=gpt-4o  duration=2.50s"),
        ProjectedLine("metrics", "INFO", "tokens  model=gpt-4o  prompt=1234  completion=567  cost=$0.04"),
    )
    assert event_line.render(event) == event_line.render_all(event)[0]
    assert len(event_line.render_all(_event("llm.completed", result="timeout"))) == 1


@pytest.mark.parametrize(
    ("type_name", "fields", "level", "message"),
    [
        ("llm.started", {"model": "m", "prompt_chars": 12}, "INFO", "request  model=m  prompt_chars=12"),
        (
            "llm.retry",
            {"attempt": 1, "backoff_s": 2, "error": "rate limited"},
            "WARNING",
            "rate limited, retry 1 in 2.0 s",
        ),
        ("llm.completed", {"result": "rate_limit"}, "WARNING", "rate limited"),
        ("llm.completed", {"result": "error", "error": "no such model"}, "ERROR", 'failed  error="no such model"'),
        ("step.started", {"step": 3, "name": "generate API"}, "INFO", 'step 003 started  name="generate API"'),
        ("step.completed", {"step": 3, "status": "failed", "retries": 2}, "ERROR", "step 003 failed  retries=2"),
        ("step.completed", {"step": 3, "status": "skipped"}, "INFO", "step 003 skipped"),
        ("issue.completed", {"issue": 7, "status": "merged"}, "INFO", "issue 7 merged"),
        ("issue.completed", {"issue": 7, "status": "stuck"}, "ERROR", "issue 7 stuck"),
        ("service.health", {"healthy": False, "error": "503"}, "ERROR", "registry is down  error=503"),
        (
            "error",
            {"error_type": "ValueError", "message": "no", "where": "a.py"},
            "ERROR",
            "ValueError: no  where=a.py",
        ),
        ("warning", {"message": "mind"}, "WARNING", "mind"),
        ("run.completed", {"exit_code": 3, "reason": "why"}, "ERROR", "run failed  exit_code=3: why"),
        ("pipeline.completed", {"failed_jobs": ["a", "b"]}, "ERROR", 'pipeline 4258 failed  failed_jobs="a, b"'),
    ],
)
def test_lines_read_as_a_person_would_say_it(
    type_name: str, fields: dict[str, object], level: str, message: str
) -> None:
    line = _line(type_name, **fields)
    assert (line.level, line.message) == (level, message)


@pytest.mark.parametrize("type_name", sorted(set(TYPES) - SILENT))
def test_a_line_leaves_issue_and_agent_to_the_keys_beside_it(type_name: str) -> None:
    for line in event_line.render_all(_event(type_name, issue=123, agent="coding")):
        assert "issue=" not in line.message
        assert "agent=" not in line.message


def test_a_component_that_the_event_names_wins() -> None:
    assert _line("error", component="validator").component == "validator"


@pytest.mark.parametrize(
    "component", ["../../etc/passwd", "", ".", "..", "CSV", "stdout", "stderr", "a/b", "x" * 101, "a\n"]
)
def test_a_component_that_cannot_be_a_log_of_its_own_does_not_win(component: str) -> None:
    assert _line("error", component=component).component == "orchestrator"


def test_what_is_no_known_event_leaves_no_line() -> None:
    assert event_line.render_all(Unknown(type="custom.thing")) == ()


def test_the_json_line_has_the_keys_of_sdk_lines_in_their_order() -> None:
    event = _event("error", step=3, issue=123, agent="coding", message="no")
    encoded = event_line.encode(event, _line("error", message="no"), run_id="r1")
    assert encoded.endswith(b"\n")
    assert list(json.loads(encoded).items()) == [
        ("ts", "2026-11-21T10:00:00.000000Z"),
        ("level", "ERROR"),
        ("component", "orchestrator"),
        ("logger", "runwatch"),
        ("msg", "error: no"),
        ("step", 3),
        ("issue", 123),
        ("run_id", "r1"),
        ("agent", "coding"),
        ("event", "error"),
    ]


def test_an_event_without_a_time_has_that_of_the_one_before() -> None:
    line = event_line.encode(_event("warning", ts=None), _line("warning"), ts="2026-11-21T09:00:00Z")
    assert json.loads(line)["ts"] == "2026-11-21T09:00:00Z"


def test_a_hostile_message_stays_one_line_of_json() -> None:
    event = _event("warning", message="a\nb\x1b[2J" + "x" * 100_000)
    encoded = event_line.encode(event, _line("warning", message=event.message))  # type: ignore[attr-defined]  # a Warned
    assert encoded.count(b"\n") == 1
    assert b"\x1b" not in encoded
    assert len(encoded) < 5000
