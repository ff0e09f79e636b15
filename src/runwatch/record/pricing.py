"""Writing prices while a run goes on, before the fold forgets the calls that they are of.

Must not price anything: the fold does. The finalizer writes those of the calls that are remembered at the end.
"""

from __future__ import annotations

import os

from runwatch.fold import Fold
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter, now_text


class PriceNoter:
    """Writes ``llm.priced`` for the older of the calls that a fold remembers."""

    def __init__(self, paths: RunPaths, writer: EventWriter) -> None:
        self._writer = writer
        try:
            self._from = os.path.getsize(paths.journal)
        except OSError:
            self._from = 0

    def poll(self, fold: Fold, offset: int) -> None:
        """Write what is due, ``fold`` having read the journal up to ``offset``.

        What stood in the journal before us is read first: a recorder before us may have written the prices of it.
        """
        if offset < self._from or fold.sealed:
            return
        for price in fold.prices_due():
            self._writer.emit("llm.priced", ref=price.ref, cost_usd=price.cost_usd, prices=price.prices, ts=now_text())
