"""runwatch: record, watch and summarize long runs. Every public name, imported where it is first used.

Must hold nothing else: ``import runwatch`` has to stay cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runwatch.sdk.calls import service, tool
    from runwatch.sdk.issues import IssueTracker
    from runwatch.sdk.llm import llm_metrics
    from runwatch.sdk.log_context import LogContext
    from runwatch.sdk.log_format import StructuredFormatter
    from runwatch.sdk.log_handler import DynamicFileHandler
    from runwatch.sdk.loggers import get_logger, get_runner_logger, setup_logging
    from runwatch.sdk.run import RunLogger, current_run
    from runwatch.sdk.tools import ToolMonitor

__all__ = [
    "DynamicFileHandler",
    "IssueTracker",
    "LogContext",
    "RunLogger",
    "StructuredFormatter",
    "ToolMonitor",
    "current_run",
    "get_logger",
    "get_runner_logger",
    "llm_metrics",
    "service",
    "setup_logging",
    "tool",
]

_HOMES = {
    "DynamicFileHandler": "log_handler",
    "IssueTracker": "issues",
    "LogContext": "log_context",
    "RunLogger": "run",
    "StructuredFormatter": "log_format",
    "ToolMonitor": "tools",
    "current_run": "run",
    "get_logger": "loggers",
    "get_runner_logger": "loggers",
    "llm_metrics": "llm",
    "service": "calls",
    "setup_logging": "loggers",
    "tool": "calls",
}
"""Public name → module below ``runwatch.sdk``."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"runwatch.sdk.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
