"""A place between two lines of one log, from which one walks forward and back.

Must not outlive a change of the log: cursors are made, used and dropped between two polls.
"""

from __future__ import annotations

from typing import NamedTuple

from runwatch.journal.log_rows import RowIndex


class Place(NamedTuple):
    """One line of one log among several."""

    time: float
    """The effective time by which it is ordered."""
    log: int
    """Position of the log among the others: the order of ties."""
    offset: int
    """Where it begins."""
    end: int | None
    """Where the next line of the log begins, where that is known without reading."""


class Cursor:
    """Walks over one log's rows in both directions, chunk by chunk."""

    __slots__ = ("_at", "_chunk", "_index", "_number", "log")

    def __init__(self, index: RowIndex, log: int, row: int) -> None:
        """Stand in front of row ``row``; at the end for the number of rows."""
        self._index = index
        self.log = log
        """Position of the log among the others."""
        if row >= index.row_count:
            self._number = len(index.table) - 1
            self._chunk = index.order.chunk(self._number)
            self._at = self._chunk.lines
        else:
            number, at = index.table.find(row)
            self._move(number)
            self._at = min(at, self._chunk.lines)

    def following(self) -> Place | None:
        """Return the line behind this place, or None at the end."""
        table = self._index.table
        while self._at >= self._chunk.lines:
            behind = table.before(self._number) + table.count(self._number)
            if behind >= table.total:
                return None
            self._move(table.find(behind)[0])
            self._at = 0
        return self._place(self._at)

    def preceding(self) -> Place | None:
        """Return the line in front of this place, or None at the beginning."""
        table = self._index.table
        while self._at == 0:
            before = table.before(self._number)
            if not before:
                return None
            self._move(table.find(before - 1)[0])
            self._at = self._chunk.lines
        return self._place(self._at - 1)

    def forward(self) -> None:
        """Step over the line that ``following`` gave."""
        self._at += 1

    def back(self) -> None:
        """Step over the line that ``preceding`` gave."""
        self._at -= 1

    def _move(self, number: int) -> None:
        self._number = number
        self._index.count_exactly(number)
        self._chunk = self._index.order.chunk(number)

    def _place(self, at: int) -> Place:
        chunk = self._chunk
        return Place(chunk.times[at], self.log, chunk.starts[at], chunk.end(at))
