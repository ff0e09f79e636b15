"""One agent, issue and model, under all its names: what each source saw of its calls, and which source counts.

No I/O, no formatting; adds nothing up over several. Definitions: metrics.md, "Tokens and prices".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runwatch.fold.percentiles import Histogram
from runwatch.fold.series import Share
from runwatch.fold.tally import CALLS, TOTAL

if TYPE_CHECKING:
    from runwatch.fold.ledger import Cell, Model

SOURCES = ("sdk", "usage", "otlp.span", "otlp.metric")
"""Who may have seen a call, the most trusted first."""


Place = tuple[str | None, str | None]
"""Issue, as text, and agent."""
_DATED = re.compile(r"[-@](?:\d{8}|\d{4}-\d{2}-\d{2})\Z")


def family(model: str | None) -> str | None:
    """Return a model's name without date and prefix: ``gpt-4o`` answers as ``gpt-4o-2024-08-06``."""
    return None if model is None else _DATED.sub("", model.strip().lower().rpartition("/")[2])


class Seen:
    """What one source saw of one of the model's names, and cannot be taken out of a sum again: durations, trends."""

    __slots__ = ("counts", "durations", "model", "share")

    def __init__(self, model: Model, *, counts: bool) -> None:
        self.model = model
        self.counts = counts
        """Whether it is part of the model's durations and of the trends now."""
        self.durations = Histogram()
        self.share = Share()


class Contest:
    """The cells of one agent, issue and model: one source of them counts."""

    __slots__ = ("anonymous", "cells", "counts", "family", "place", "seen")

    def __init__(self, place: Place, family: str | None) -> None:
        self.place = place
        self.family = family
        self.cells: list[Cell] = []
        self.counts: dict[str, bool] = {}
        """Which of the sources count now. The first does until another one is found to have seen more."""
        self.seen: dict[tuple[str, int], Seen] = {}
        """By source and identity of the model."""
        self.anonymous = 0
        """How many calls lack a request id."""

    def join(self, cell: Cell) -> Seen:
        """Add a cell; return what its source has seen."""
        self.cells.append(cell)
        counts = self.counts.setdefault(cell.source, not self.counts)
        key = cell.source, id(cell.model)
        seen = self.seen.get(key)
        if seen is None:
            seen = self.seen[key] = Seen(cell.model, counts=counts)
        return seen

    @property
    def is_open(self) -> bool:
        """Whether there are several sources."""
        return len(self.counts) > 1

    def winner(self) -> str | None:
        """Return the source that counts, None where all do."""
        if len(self.counts) < 2 or not self.anonymous:
            return None
        saw = {source: [0, 0] for source in self.counts}
        for cell in self.cells:
            saw[cell.source][0] += cell.totals[TOTAL]
            saw[cell.source][1] += cell.totals[CALLS]
        return min(saw, key=lambda source: (-saw[source][0], -saw[source][1], _rank(source), source))


def _rank(source: str) -> int:
    return SOURCES.index(source) if source in SOURCES else len(SOURCES)
