"""Events of no run: folded in memory, so that metrics can be asked for; nothing is written.

Must not keep the events themselves.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runwatch.sdk.clock import WallClock

if TYPE_CHECKING:
    from runwatch.fold import Fold
    from runwatch.fold.metrics import Metrics


class Memory:
    """A fold that is fed as events happen; safe to use from threads."""

    def __init__(self) -> None:
        self._fold: Fold | None = None
        self._lock = threading.Lock()
        self._bytes = 0

    def take(self, line: bytes) -> None:
        """Count one event."""
        with self._lock:
            if self._fold is None:
                from runwatch.fold import Fold  # only a program without a run needs it

                self._fold = Fold()
            self._bytes += len(line)
            self._fold.feed_line(line, self._bytes)

    def metrics(self) -> Metrics | None:
        """Return what was counted so far; None when nothing was."""
        with self._lock:
            return None if self._fold is None else self._fold.metrics(WallClock().text())

    def after_fork(self) -> None:
        """In a forked child the lock may be held by a thread that is no more."""
        self._lock = threading.Lock()
