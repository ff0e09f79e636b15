"""Loggers of the standard library whose lines go to the run's logs, and the set-up of the console.

Must not change any logger but those it was asked for, and the root's console handler in ``setup_logging``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

from runwatch.sdk.given import truth
from runwatch.sdk.log_format import DEFAULT_COMPONENT, ConsoleFormatter, StructuredFormatter
from runwatch.sdk.log_handler import LoggerHandler, destination
from runwatch.sdk.plain import shown, text
from runwatch.sdk.trouble import say

_PASSED = ("exc_info", "stack_info", "stacklevel", "extra")
"""Keywords of the standard library's logging calls; all others are fields of the line."""


class _OurLevel(int):
    """A level that we set on a logger, told apart from one that the program set."""


class _Gate(logging.Filter):
    """Lets a record reach the program's console only where it would have without us, and our file in any case."""

    def __init__(self, logger: logging.Logger, handler: LoggerHandler) -> None:
        super().__init__()
        self._logger, self._handler = logger, handler

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record goes on to the handlers."""
        if not isinstance(self._logger.level, _OurLevel):
            return True  # the program has its own idea of this logger's level
        parent = self._logger.parent
        if record.levelno >= (logging.WARNING if parent is None else parent.getEffectiveLevel()):
            return True
        if destination() is not None:
            self._handler.handle(record)
        return False


class _Console(logging.StreamHandler[Any]):
    """The console handler of ``setup_logging``: on whatever stderr is when a line is written."""

    @property
    def stream(self) -> Any:
        """Where lines go."""
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        """Stay with stderr."""


_level = _OurLevel(logging.INFO)
_loggers: dict[tuple[str, str], logging.Logger] = {}
_components: dict[str, str] = {}


def get_logger(name: str, component: str = DEFAULT_COMPONENT) -> logging.Logger:
    """Return a logger of the standard library whose lines go to the current step's ``<component>.log``.

    From INFO on, unless the program sets its level. With no run active it is an ordinary logger on the console.
    A second component under one name gets a logger below it, so that the two do not mix.
    """
    name, component = text(name), text(component)
    known = _loggers.get((name, component))
    if known is not None:
        return known
    first = _components.setdefault(name, component)
    logger = logging.getLogger(name if first == component else f"{name}.{component}")
    handler = LoggerHandler(component)
    logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel(_level)
        logger.addFilter(_Gate(logger, handler))
    _loggers[name, component] = logger
    return logger


def setup_logging(log_level: str | int = "INFO", structured: bool = True) -> None:
    """Show all logs on stderr from ``log_level`` on, as JSON or as lines for people; calling it again replaces that."""
    global _level
    level = logging.getLevelNamesMapping().get(log_level.upper()) if isinstance(log_level, str) else log_level
    if not isinstance(level, int):
        say(f"{shown(log_level)} is no log level: use DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO is taken.")
        level = logging.INFO
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Console)]:
        root.removeHandler(handler)
    console = _Console()
    console.setFormatter(StructuredFormatter() if truth(structured, "setup_logging structured") else ConsoleFormatter())
    root.addHandler(console)
    root.setLevel(level)
    _level = _OurLevel(level)
    for logger in _loggers.values():
        if isinstance(logger.level, _OurLevel):
            logger.setLevel(_level)


class BoundLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger with fields bound to it; keywords of a call are fields of that line."""

    def bind(self, **fields: Any) -> BoundLogger:
        """Return a logger with more fields."""
        return BoundLogger(self.logger, {**(self.extra or {}), **fields})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Put bound fields and those of the call into ``extra``."""
        fields = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        fields |= {name: value for name, value in kwargs.items() if name not in _PASSED}
        passed = {name: value for name, value in kwargs.items() if name in _PASSED}
        return msg, {**passed, "extra": _harmless(fields)}


def get_runner_logger(runner_id: str, task_id: str, spec_name: str) -> BoundLogger:
    """Return a logger whose every line says which runner, task and specification it is about."""
    logger = get_logger("runwatch.runner")
    return BoundLogger(logger, {"runner_id": runner_id, "task_id": task_id, "spec_name": spec_name})


_TAKEN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _harmless(fields: dict[str, Any]) -> dict[str, Any]:
    """Rename fields that the standard library would raise for: ``name`` becomes ``name_``."""
    return {f"{name}_" if name in _TAKEN else name: value for name, value in fields.items()}
