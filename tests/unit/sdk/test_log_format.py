"""Log records as lines."""

from __future__ import annotations

import json
import logging
from typing import Any

from runwatch.sdk.context import Scope, enter
from runwatch.sdk.log_format import ConsoleFormatter, StructuredFormatter
from sdk_recording import Recording


def record(message: str, *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.getLogger("unit").makeRecord("unit", logging.INFO, "f.py", 1, message, args, None, extra=extra)
    made.created = 1.5
    return made


def test_a_line_names_issue_and_agent_where_there_are_any(recording: Recording) -> None:
    enter(Scope(recording.emitter, 2, 123, "coding"))
    line = json.loads(StructuredFormatter("adapter").format(record("n=%d", 3, request="r")))
    assert line == {
        "ts": "1970-01-01T00:00:01.500000Z", "level": "INFO", "component": "adapter", "logger": "unit", "msg": "n=3",
        "step": 2, "issue": 123, "agent": "coding", "run_id": recording.paths.run_id, "request": "r",
    }  # fmt: skip


def test_extra_may_say_where_but_not_when_or_how_bad() -> None:
    line = json.loads(StructuredFormatter().format(record("x", component="metrics", issue=7, level="LOUD", ts=0)))
    assert (line["component"], line["issue"], line["level"], line["ts"][:4]) == ("metrics", 7, "INFO", "1970")


def test_a_stack_is_part_of_the_line() -> None:
    made = record("x")
    made.stack_info = "Stack (most recent call last):\n  here"
    assert json.loads(StructuredFormatter().format(made))["stack"].endswith("here")


def test_people_get_one_short_line_and_the_traceback_below() -> None:
    made = record("x", n=1)
    assert ConsoleFormatter().format(made) == "00:00:01.500 INFO     orchestrator  x n=1"
    made.exc_text = "Traceback"
    assert ConsoleFormatter().format(made).splitlines()[1:] == ["Traceback"]
