"""One agent, issue and model: what each source saw of its calls, and which of the sources counts.

No I/O, no formatting; adds nothing up over several. Definitions: metrics.md, "Tokens and prices".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwatch.fold.percentiles import Histogram
from runwatch.fold.series import Share
from runwatch.fold.tally import CALLS, TOTAL

if TYPE_CHECKING:
    from runwatch.fold.ledger import Cell, Model

SOURCES = ("sdk", "usage", "otlp.span", "otlp.metric")
"""Who may have seen a call, the most trusted first."""


class Seen:
    """What one source saw that cannot be taken out of a sum again: durations, and what was used when."""

    __slots__ = ("counts", "durations", "share")

    def __init__(self, *, counts: bool) -> None:
        self.counts = counts
        """Whether it is part of the model's durations and of the trends now."""
        self.durations = Histogram()
        self.share = Share()


class Contest:
    """The cells of one agent, issue and model: one source of them counts."""

    __slots__ = ("anonymous", "cells", "model", "seen")

    def __init__(self, model: Model) -> None:
        self.model = model
        self.cells: list[Cell] = []
        self.seen: dict[str, Seen] = {}
        """By source. The first counts until another one is found to have seen more."""
        self.anonymous = 0
        """How many calls lack a request id."""

    def join(self, cell: Cell) -> Seen:
        """Add a cell; return what its source has seen."""
        self.cells.append(cell)
        seen = self.seen.get(cell.source)
        if seen is None:
            seen = self.seen[cell.source] = Seen(counts=not self.seen)
        return seen

    @property
    def is_open(self) -> bool:
        """Whether there are several sources."""
        return len(self.seen) > 1

    def winner(self) -> str | None:
        """Return the source that counts, None where all do."""
        if len(self.seen) < 2 or not self.anonymous:
            return None
        saw = {source: [0, 0] for source in self.seen}
        for cell in self.cells:
            saw[cell.source][0] += cell.totals[TOTAL]
            saw[cell.source][1] += cell.totals[CALLS]
        return min(saw, key=lambda source: (-saw[source][0], -saw[source][1], _rank(source), source))


def _rank(source: str) -> int:
    return SOURCES.index(source) if source in SOURCES else len(SOURCES)
