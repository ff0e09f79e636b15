"""Which steps this process has open, and the number of the next one.

Must not emit, or ask anybody outside this process.
"""

from __future__ import annotations

import threading
from typing import Protocol


class Follows(Protocol):
    """Who knows the step at hand of the run."""

    def read(self, known: int | None) -> int | None:
        """Return it; ``known`` where it does not know any more."""


class Tells(Protocol):
    """Who is told the step at hand of the run."""

    def tell(self, step: int | None) -> None:
        """Take note of it."""


class StepBook:
    """The open steps of a run as one process sees them; safe to use from threads and in signal handlers."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open: dict[int, float] = {}
        self._last = 0
        self._given: int | None = None
        self._current: int | None = None
        self._follows: Follows | None = None
        self._tells: Tells | None = None

    @property
    def current(self) -> int | None:
        """The process-wide step: opened here last and still open, else the one at hand of the run that was joined."""
        follows = self._follows
        if follows is None or self._open:
            return self._current
        self._given = self._current = step = follows.read(self._given)
        return step

    def follow(self, follows: Follows) -> None:
        """Take the step at hand from the run's owner, where none is open here."""
        self._follows = follows

    def tell(self, tells: Tells) -> None:
        """Tell the step at hand to who joins the run."""
        self._tells = tells

    def start_in(self, step: int | None) -> None:
        """Say which step of the run was at hand when this process joined it."""
        with self._lock:
            self._given = step
            self._last = max(self._last, step or 0)
            self._settle()

    def skip_to(self, last: int) -> None:
        """Say which numbers are taken already."""
        with self._lock:
            self._last = max(self._last, last)

    def open(self, number: int | None, started: float) -> int:
        """Open a step, numbered after the highest one so far unless ``number`` says otherwise; return its number.

        ``started`` is the monotonic clock, in seconds.
        """
        with self._lock:
            step = self._last + 1 if number is None else number
            self._last = max(self._last, step)
            self._open.pop(step, None)
            self._open[step] = started
            self._settle()
            return step

    def close(self, step: int) -> float | None:
        """Close a step and return when it was opened (monotonic seconds); None when it is not open."""
        with self._lock:
            started = self._open.pop(step, None)
            self._settle()
            return started

    def _settle(self) -> None:
        self._current = next(reversed(self._open), self._given)
        if self._tells is not None:
            self._tells.tell(self._current)

    def after_fork(self) -> None:
        """A forked child goes on in its parent's step, which stays the parent's to close."""
        self._lock = threading.RLock()
        if self._open:
            self._follows = None
        self._tells = None
        self._given, self._open = self._current, {}
        self._settle()
