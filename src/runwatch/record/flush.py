"""Flushing what is known of a live run: metrics.json, metadata.json, issue reports, at most every second.

Must not do what only the end may do. Source: record.md, "The run directory".
"""

from __future__ import annotations

from runwatch.finalize.publish import Publisher
from runwatch.fold import Fold
from runwatch.fold.losses import overlaid
from runwatch.journal.losses import read_losses
from runwatch.journal.writer import now_text

PERIOD_S = 1.0


class Flusher:
    """Writes a live run's files when something changed."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher, self._ledger = publisher, publisher.paths.losses
        self._next = 0.0
        self._offset = -1

    def due(self, now: float, offset: int) -> bool:
        """Whether a second has passed and the journal grew to ``offset`` since (``now``: monotonic seconds)."""
        return now >= self._next and offset != self._offset

    def flush(self, now: float, fold: Fold, offset: int) -> None:
        """Write what ``fold`` knows at ``offset``."""
        self._next, self._offset = now + PERIOD_S, offset
        try:
            metrics = fold.metrics(now_text())
            self._publisher.live(overlaid(metrics, fold.losses, (loss.event() for loss in read_losses(self._ledger))))
        except OSError:
            pass  # a full disk; the next flush may find room, and the end says it
