"""Log records as one line of JSON, or as one line for people.

Must not decide where a line goes. **Source**: record.md, "Logs".
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from runwatch.sdk import active
from runwatch.sdk.clock import text_of
from runwatch.sdk.context import scope_of
from runwatch.sdk.plain import plain

DEFAULT_COMPONENT = "orchestrator"

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "component"}
_OWN = frozenset({"ts", "level", "logger", "msg"})
"""Keys that ``extra`` cannot take over."""
_encoder = msgspec.json.Encoder(enc_hook=str)


class StructuredFormatter(logging.Formatter):
    """JSON, one object a record: ts, level, component, logger, msg, step, issue, run_id, and what ``extra`` brought.

    Usable with any handler; step, issue and run are those of the task or thread that formats.
    """

    def __init__(self, component: str = DEFAULT_COMPONENT) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line feed."""
        fields = self.fields(record)
        try:
            return _encoder.encode(fields).decode()
        except Exception:  # noqa: BLE001 - the values are the user's: __str__ may raise, text may be no Unicode
            return _encoder.encode(plain(fields)).decode()

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what the line says."""
        fields: dict[str, Any] = {
            "ts": text_of(record.created),
            "level": record.levelname,
            "component": getattr(record, "component", self._component),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        emitter = active.current() or active.memory()
        scope = scope_of(emitter)
        step = scope.step if scope.step is not None else emitter.steps.current
        for name, value in (("step", step), ("issue", scope.issue), ("agent", scope.agent), ("run_id", emitter.run_id)):
            if value is not None:
                fields[name] = value
        fields |= extra_of(record)
        if record.exc_info and not (record.exc_text or "").strip():  # loguru leaves a blank one
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            fields["exception"] = record.exc_text
        if record.stack_info:
            fields["stack"] = self.formatStack(record.stack_info)
        return fields


class ConsoleFormatter(logging.Formatter):
    """One line for people: time of day, level, component, message, then what ``extra`` brought as ``key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, an exception's traceback below it."""
        component = getattr(record, "component", DEFAULT_COMPONENT)
        head = f"{text_of(record.created)[11:23]} {record.levelname:<8} {component}"
        more = "".join(f" {name}={plain(value)}" for name, value in extra_of(record).items())
        line = f"{head}  {record.getMessage()}{more}"
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return f"{line}\n{record.exc_text}" if record.exc_text else line


def extra_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what ``extra`` brought."""
    return {
        name: value
        for name, value in record.__dict__.items()
        if name not in _STANDARD and name not in _OWN and not name.startswith("_runwatch")
    }
