"""Flushing what is known of a live run: metrics.json, metadata.json, issue reports, at most every second.

Must not do what only the end may do. Source: record.md, "The run directory".
"""

from __future__ import annotations

from runwatch.finalize.publish import Publisher
from runwatch.fold import Fold
from runwatch.journal.writer import now_text

PERIOD_S = 1.0


class Flusher:
    """Writes a live run's files when something changed."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._next = 0.0
        self._events = -1

    def poll(self, now: float, fold: Fold) -> None:
        """Flush when a second has passed and an event came since (``now``: monotonic seconds)."""
        if now < self._next or fold.events == self._events:
            return
        self._next, self._events = now + PERIOD_S, fold.events
        try:
            self._publisher.live(fold.metrics(now_text()))
        except OSError:
            pass  # a full disk; the next flush may find room, and the end says it
