"""Which rows of one table this process has written, in a few bytes each: a long run has ten thousands.

Must not write a file or make a row: the view does. What is the same object as the time before has the same row.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from runwatch.views.csv_rows import Row

MakeRows = Callable[[Sequence[Any]], list[Row]]


class RowsWritten:
    """The rows of one table, in order, as they were written last."""

    __slots__ = ("_entities", "_hashes")

    def __init__(self) -> None:
        self._entities: list[Any] = []
        """What the rows were made of."""
        self._hashes = array("q")
        """Of the rows, as this process hashes them."""

    def news(self, entities: list[Any], make: MakeRows) -> list[Row] | None:
        """Return the rows of what came since; None where a row has been corrected or taken away."""
        before = self._entities
        if len(entities) < len(before):
            return None
        for at, (old, new) in enumerate(zip(before, entities, strict=False)):
            if old is not new and hash(make([new])[0]) != self._hashes[at]:
                return None
        self._entities = entities[: len(before)]
        return make(entities[len(before) :])

    def add(self, entities: list[Any], rows: list[Row]) -> None:
        """Note that these rows were added to what was written, which is of ``entities`` now."""
        self._entities = entities
        self._hashes.extend(map(hash, rows))
