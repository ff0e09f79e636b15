"""Which step the command's output belongs to, and the number of the next one.

Must not touch files or sockets. Steps come from markers, from ``runwatch step`` and from SDK programs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

Source = Literal["marker", "shell", "sdk"]


class StepBook:
    """The open steps of a run, in the order of their opening; safe to use from threads."""

    def __init__(self, tell: Callable[[int | None], None] = lambda step: None) -> None:
        """``tell`` is told the step at hand whenever that changes."""
        self._tell = tell
        self._open: dict[int, Source] = {}
        self._last = 0
        self._lock = threading.Lock()

    @property
    def current(self) -> int | None:
        """The step that was opened last and is still open."""
        with self._lock:
            return next(reversed(self._open), None)

    def open(self, source: Source, number: int | None = None) -> int:
        """Open a step, numbered after the highest one so far unless ``number`` says otherwise; return its number."""
        with self._lock:
            step = self._last + 1 if number is None else number
            self._last = max(self._last, step)
            self._open.pop(step, None)
            self._open[step] = source
            self._tell(step)
            return step

    def close(self, step: int) -> None:
        """Close a step; nothing happens when it is not open."""
        with self._lock:
            self._open.pop(step, None)
            self._tell(next(reversed(self._open), None))

    def last_open(self, *sources: Source) -> int | None:
        """Return the step of one of ``sources`` that was opened last and is still open."""
        with self._lock:
            return next((step for step in reversed(self._open) if self._open[step] in sources), None)
