"""For each block of a log the time at which it ends, never falling: what a search by time walks over.

Must not read bytes: it is told the time of each block's newest line, and how far lines are finished.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from math import inf, nan

from runwatch.journal.log_block import Bounds
from runwatch.journal.log_times import WINDOW_S

FLOOR_S = 1.0
"""Time of lines in front of the first known time."""


class BlockEnds:
    """Ends of blocks; infinite while a line that begins in the block is under way."""

    def __init__(self) -> None:
        self.last = array("d")
        """What the newest finished line of each block states; not a number where none states a time."""
        self.base: float = FLOOR_S
        """Time of the first line that states one."""
        self._ends = array("d")
        self._settled = 0
        self._gap = inf

    def grow(self, blocks: int) -> None:
        """Make room for ``blocks`` blocks."""
        room = blocks - len(self._ends)
        if room > 0:
            self.last.extend(array("d", [nan]) * room)
            self._ends.extend(array("d", [inf]) * room)

    def end(self, number: int) -> float:
        """Return the time at which a block ends; infinite behind the last one."""
        return self._ends[number] if number < len(self._ends) else inf

    def bounds(self, number: int) -> Bounds:
        """Return what is known of the times in a block."""
        opens = self.begin(number)
        earliest = self.begin(number - 1) if number else self.base - WINDOW_S
        return Bounds(earliest, opens, self.end(number), self.end(number + 1))

    def begin(self, number: int) -> float:
        """Return a time that no line of a block comes before."""
        if not number:
            return self.base
        end = self._ends[number - 1]
        return end if end < inf else self.settled_end

    @property
    def settled_end(self) -> float:
        """End of the last block that is finished for good."""
        return self._ends[self._settled - 1] if self._settled else self.base

    def after(self, time: float) -> int:
        """Return the first block that ends later than ``time``, else the last one."""
        return min(bisect_right(self._ends, time), len(self._ends) - 1)

    def settle(self, number: int) -> None:
        """Take that every line that begins before block ``number`` is finished."""
        latest = self.settled_end
        for block in range(self._settled, number):
            latest = min(self._later(block, latest), self._gap)
            self._ends[block] = latest
        self._settled = max(self._settled, number)

    def open_gap(self, first: int, time: float | None) -> None:
        """Take that from block ``first`` on lines are at ``time`` and later, and that nothing is known in front of it.

        What lies between counts with ``time`` until ``close_gap``.
        """
        self._gap = self.settled_end if time is None else time
        for number in range(self._settled):
            self._ends[number] = min(self._ends[number], self._gap)
        self._ends[self._settled : first] = array("d", [self._gap]) * (first - self._settled)

    def settle_behind_gap(self, first: int, number: int) -> None:
        """Take that every line that begins from block ``first`` on, but before ``number``, is finished."""
        latest = self._gap
        for block in range(first, number):
            latest = self._later(block, latest)
            self._ends[block] = latest

    def close_gap(self) -> None:
        """Take that every block is known; settle them again."""
        self._gap = inf
        self._settled = 0
        self._ends = array("d", [inf]) * len(self._ends)

    def _later(self, block: int, latest: float) -> float:
        time = self.last[block]
        return time if time > latest else latest  # false where it is not a number
