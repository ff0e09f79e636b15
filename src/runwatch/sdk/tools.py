"""Tool calls with counts that the program itself can read.

Must not replace the run's metrics: its counts are this object's own, the events are the run's.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from typing import Any, TypedDict

from runwatch.sdk.calls import tool
from runwatch.sdk.forks import after_fork
from runwatch.sdk.plain import one_line, text


class ToolStats(TypedDict):
    """Counts of one tool."""

    calls: int
    """Calls that ended."""
    successes: int
    """Calls that returned."""
    failures: int
    """Calls that raised."""
    total_duration: float
    """Milliseconds over all calls."""
    errors: list[str]
    """Why calls failed, the last hundred."""


_MAX_ERRORS = 100


class ToolMonitor:
    """Tracks tool calls; safe to use from threads and tasks."""

    def __init__(self) -> None:
        self._stats: dict[str, ToolStats] = {}
        self._lock = threading.Lock()
        after_fork(self, ToolMonitor._after_fork)

    @property
    def tool_stats(self) -> dict[str, ToolStats]:
        """Tool → its counts, as of now."""
        with self._lock:
            return {
                name: ToolStats(
                    calls=stats["calls"],
                    successes=stats["successes"],
                    failures=stats["failures"],
                    total_duration=stats["total_duration"],
                    errors=list(stats["errors"]),
                )
                for name, stats in self._stats.items()
            }

    async def track_tool_call(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call a tool and return what it returns: ``track_tool_call(name, func, *args, **kwargs)``.

        A coroutine function, or what is awaitable, is awaited. ``name`` and ``func`` may be given by keyword; where
        they stand first, keywords of these names are the tool's own.
        """
        given = list(args)
        if len(given) + sum(word in kwargs for word in ("name", "func")[len(given) :]) < 2:
            raise TypeError("track_tool_call() needs a name and a function to call")
        name: str = given.pop(0) if given else kwargs.pop("name")
        func: Callable[..., Any] = given.pop(0) if given else kwargs.pop("func")
        started = time.monotonic()
        failure: BaseException | None = None
        try:
            with tool(name):
                result = func(*given, **kwargs)
                return await result if inspect.isawaitable(result) else result
        except BaseException as error:
            failure = error
            raise
        finally:
            self._count(text(name), (time.monotonic() - started) * 1000, failure)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def _count(self, name: str, duration_ms: float, failure: BaseException | None) -> None:
        with self._lock:
            stats = self._stats.get(name)
            if stats is None:
                stats = self._stats[name] = ToolStats(calls=0, successes=0, failures=0, total_duration=0.0, errors=[])
            stats["calls"] += 1
            stats["total_duration"] += duration_ms
            if failure is None:
                stats["successes"] += 1
            else:
                stats["failures"] += 1
                stats["errors"] = [*stats["errors"], one_line(failure)][-_MAX_ERRORS:]
