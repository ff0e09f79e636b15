"""Log records into the files of the run and step that the calling code is in.

Must not raise into the program, nor decide what a line says.
"""

from __future__ import annotations

import logging

from runwatch.errors import BadName, RunwatchError
from runwatch.journal.log_append import place
from runwatch.sdk import active
from runwatch.sdk.context import scope_of
from runwatch.sdk.core import Emitter
from runwatch.sdk.log_format import DEFAULT_COMPONENT, StructuredFormatter
from runwatch.sdk.plain import shown, text
from runwatch.sdk.sink import LOST, cannot_write
from runwatch.sdk.trouble import say

_WRITTEN = "_runwatch_written"
"""Set on a record that a handler of a logger nearer to the program has written."""


class DynamicFileHandler(logging.Handler):
    """Follows the context from file to file: ``<component>.log`` of the step at hand, ``run.log`` outside steps.

    With no run active, and no folder given to ``LogContext``, it writes nothing.
    """

    def __init__(self, component: str = DEFAULT_COMPONENT, level: int = logging.NOTSET) -> None:
        super().__init__(_level_of(level))
        component = text(component)
        try:
            place(None, component)
        except BadName as error:
            say(f"{error.sentence} Its lines go to {DEFAULT_COMPONENT}.log.")
            component = DEFAULT_COMPONENT
        self.component = component
        """Names the file."""
        self.setFormatter(StructuredFormatter(component))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        emitter = destination()
        if emitter is not None:
            self._write(record, emitter)

    def _write(self, record: logging.LogRecord, emitter: Emitter) -> None:
        if emitter.logs is None:
            return
        had_one = "component" in record.__dict__
        if not had_one:
            record.__dict__["component"] = self.component
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        except Exception:  # noqa: BLE001 - as every stdlib handler: a bad format argument is shown, not raised
            self.handleError(record)
            return
        finally:
            if not had_one:
                del record.__dict__["component"]
        scope = scope_of(emitter)
        step = scope.step if scope.step is not None else emitter.steps.current
        try:
            emitter.append_log(step, self.component, line, emitter.max_log_bytes)
        except (OSError, RunwatchError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            emitter.losses.add(log_lines=1)
            emitter.troubles.report(LOST, cannot_write(reason or "unknown error"))


def _level_of(level: object) -> int:
    """Return a level, by number or name; NOTSET for what is none."""
    found = logging.getLevelNamesMapping().get(level.upper()) if isinstance(level, str) else level
    if isinstance(found, int):
        return found
    say(f"{shown(level)} is no log level: use DEBUG, INFO, WARNING, ERROR or CRITICAL; all lines are taken.")
    return logging.NOTSET


def destination() -> Emitter | None:
    """Return the run whose files the calling code's lines go to; None when there is none."""
    emitter = active.current()
    if emitter is not None:
        return emitter
    memory = active.memory()
    return memory if memory.logs is not None else None


class LoggerHandler(DynamicFileHandler):
    """The handler of ``get_logger``: on the console, as an ordinary logger, when there is no file to write to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, unless a logger nearer to the program has."""
        if getattr(record, _WRITTEN, False):
            return
        setattr(record, _WRITTEN, True)
        record.__dict__.setdefault("component", self.component)  # for the console's handlers too
        emitter = destination()
        if emitter is not None:
            self._write(record, emitter)
            return
        plain_console = logging.lastResort
        if plain_console is None or _has_console(logging.getLogger(record.name)):
            return
        if record.levelno >= plain_console.level:
            plain_console.handle(record)  # as the standard library would have shown it without our handler


def _has_console(logger: logging.Logger | None) -> bool:
    """Whether any handler that is not ours gets the records of ``logger``."""
    while logger is not None:
        if any(not isinstance(handler, DynamicFileHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
