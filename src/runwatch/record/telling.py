"""Telling the journal what its writers lost, as soon as there is room for it again.

Must not count anything itself: the ledger of losses does, where a full disk and the writers' death cannot take it.
"""

from __future__ import annotations

import os

from runwatch.fold import Fold
from runwatch.fold.losses import untold
from runwatch.journal.losses import read_losses
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter

PERIOD_S = 1.0
"""A writer that finds room again tells of its losses itself; this is for those that have nothing more to say."""


class LossTeller:
    """Looks at one run's ledger, at most every second."""

    def __init__(self, paths: RunPaths, writer: EventWriter) -> None:
        self._path, self._writer = paths.losses, writer
        self._next = 0.0
        self._seen = self._quiet = 0

    def poll(self, now: float, fold: Fold) -> None:
        """Write what the ledger knows and ``fold`` does not (``now``: monotonic seconds)."""
        if now < self._next:
            return
        self._next = now + PERIOD_S
        try:
            changed = os.stat(self._path).st_mtime_ns
        except OSError:
            return
        settled, self._seen = changed == self._seen, changed
        if not settled or changed == self._quiet:
            return  # still losing: the totals are told once it is over
        missing = [loss for loss in read_losses(self._path) if untold(fold.losses, loss.event())]
        if False not in map(self._writer.tell_loss, missing):
            self._quiet = changed
