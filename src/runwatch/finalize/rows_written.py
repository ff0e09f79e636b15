"""Which rows of one table this process has written, in a few bytes each: a long run has ten thousands.

Must not write a file or make a row: the view does. What is the same object as the time before has the same row, and
so has all of what tells that none of it was corrected since (``AttemptRows``).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from runwatch.views.csv_rows import Row

MOST_NEWS = 500
"""Rows made at a time: a recorder that has caught up with a busy program may find ten thousands."""
MakeRows = Callable[[Sequence[Any]], list[Row]]


class RowsWritten:
    """The rows of one table, in order, as they were written last."""

    __slots__ = ("_corrections", "_entities", "_hashes")

    def __init__(self) -> None:
        self._entities: Sequence[Any] = ()
        """What the rows were made of, where it is a list."""
        self._corrections: int | None = None
        """Where it is too long for one: how often rows of it had been corrected."""
        self._hashes = array("q")
        """Of the rows, as this process hashes them."""

    def __len__(self) -> int:
        return len(self._hashes)

    def news(self, entities: Sequence[Any], make: MakeRows) -> list[Row] | None:
        """Return the first ``MOST_NEWS`` rows of what came since; None where one has been corrected or taken away."""
        written = len(self._hashes)
        if len(entities) < written or self._is_corrected(entities, make):
            return None
        self._hold(entities, written)
        return make(entities[written : written + MOST_NEWS])

    def add(self, entities: Sequence[Any], rows: list[Row]) -> None:
        """Note that these rows were added to what was written, which is of the first of ``entities`` now."""
        self._hashes.extend(map(hash, rows))
        self._hold(entities, len(self._hashes))

    def _is_corrected(self, entities: Sequence[Any], make: MakeRows) -> bool:
        corrections = getattr(entities, "corrections", None)
        if corrections is not None and corrections == self._corrections:
            return False
        before = self._entities
        for at, (hashed, new) in enumerate(zip(self._hashes, entities, strict=False)):
            is_same = at < len(before) and before[at] is new
            if not is_same and hash(make([new])[0]) != hashed:
                return True
        return False

    def _hold(self, entities: Sequence[Any], number: int) -> None:
        self._corrections = getattr(entities, "corrections", None)
        self._entities = () if self._corrections is not None else entities[:number]
