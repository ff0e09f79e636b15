"""Which lines of which rows are in sight where long rows are wrapped: from a row on, or up from the end.

Must not draw or read: it is told how many lines each row takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Place(NamedTuple):
    """What one line of the view shows."""

    row: int
    """Of which row."""
    part: int
    """Which of its lines."""


class Wrapping:
    """Remembers where the view began, so that moving the cursor within it moves nothing else."""

    def __init__(self, lines_of: Callable[[int], int]) -> None:
        """``lines_of``: how many lines a row takes; 0 where there is none."""
        self._lines_of = lines_of
        self._first = Place(0, 0)
        self._top = 0
        self._cursor: int | None = None

    def places(self, top: int, cursor: int | None, last: int, height: int) -> list[Place]:
        """Return what each line of the view shows, fewer where the rows end.

        ``top``: the row to begin with; ``cursor``: the one to be in sight, None: the end; ``last``: the last one.
        """
        if cursor is None:
            found = self._up_from(last, height)
        else:
            found = self._down_from(self._begin(top, cursor), last, height)
            if found and Place(cursor, 0) < found[0]:
                found = self._down_from(Place(cursor, 0), last, height)
            elif found and Place(cursor, self._lines_of(cursor) - 1) > found[-1]:
                found = self._up_from(cursor, height)
        if found and found[-1].row >= last and len(found) < height:
            found = self._up_from(last, height)
        if found and len(found) < height:
            found = self._down_from(found[0], last, height)
        self._top, self._cursor = top, cursor
        self._first = found[0] if found else Place(top, 0)
        return found

    def forget(self) -> None:
        """Let the view begin with its first row the next time, wherever it began."""
        self._first, self._top, self._cursor = Place(0, 0), -1, None

    def _begin(self, top: int, cursor: int) -> Place:
        """Return where to begin: where it began, while only the cursor moved or rows came above all of it."""
        if self._cursor is None and top == self._top:
            return self._first
        moved = top - self._top
        if moved == 0 or (self._cursor is not None and cursor - self._cursor == moved and self._first.row > self._top):
            return Place(self._first.row + moved, self._first.part)
        return Place(top, 0)

    def _down_from(self, first: Place, last: int, height: int) -> list[Place]:
        found: list[Place] = []
        row, part = first
        while len(found) < height and row <= last:
            found += [Place(row, number) for number in range(part, self._lines_of(row))]
            row, part = row + 1, 0
        return found[:height]

    def _up_from(self, row: int, height: int) -> list[Place]:
        found: list[Place] = []
        while len(found) < height and row >= 0 and (lines := self._lines_of(row)):
            found = [*(Place(row, number) for number in range(lines)), *found]
            row -= 1
        return found[-height:]
