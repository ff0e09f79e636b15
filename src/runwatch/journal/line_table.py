"""How many lines begin in each block of a log: row to block and back, exact where counted, estimated elsewhere.

Holds four bytes a block, never one object a line. Knows no file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate

_GROUP_BITS = 8
_GROUP = 1 << _GROUP_BITS


class LineTable:
    """Counts by block, with their running totals kept by groups of 256 blocks."""

    __slots__ = ("_counts", "_known", "_sums", "_totals", "total")

    def __init__(self) -> None:
        self.total = 0
        """Lines in all blocks."""
        self._counts = array("I")
        self._known = bytearray()
        self._sums: list[int] = []
        self._totals: list[int] = [0]

    def __len__(self) -> int:
        return len(self._counts)

    def known(self, block: int) -> bool:
        """Return True when the block was counted, False when its number is an estimate."""
        return block < len(self._known) and bool(self._known[block])

    def grow(self, blocks: int, estimate: int = 0) -> None:
        """Make room for ``blocks`` blocks; new ones hold ``estimate`` lines each until they are counted."""
        while len(self._counts) < blocks:
            if len(self._counts) % _GROUP == 0:
                self._sums.append(0)
            group = len(self._sums) - 1
            room = min(blocks, (group + 1) << _GROUP_BITS) - len(self._counts)
            self._counts.extend([estimate] * room)
            self._known.extend(bytes(room))
            self._sums[group] += estimate * room
            self.total += estimate * room
            del self._totals[group + 1 :]

    def set(self, block: int, lines: int) -> None:
        """State the number of lines of a counted block."""
        self._known[block] = 1
        change = lines - self._counts[block]
        if change:
            group = block >> _GROUP_BITS
            self._counts[block] = lines
            self._sums[group] += change
            self.total += change
            del self._totals[group + 1 :]

    def count(self, block: int) -> int:
        """Return the lines of a block."""
        return self._counts[block]

    def before(self, block: int) -> int:
        """Return the lines in front of a block."""
        group = block >> _GROUP_BITS
        self._settle(group)
        return self._totals[group] + sum(self._counts[group << _GROUP_BITS : block])

    def find(self, row: int) -> tuple[int, int]:
        """Return (block, line within it) of a row below ``total``."""
        self._settle(len(self._sums))
        group = bisect_right(self._totals, row) - 1
        first = group << _GROUP_BITS
        rest = row - self._totals[group]
        sums = list(accumulate(self._counts[first : first + _GROUP]))
        at = bisect_right(sums, rest)
        return first + at, rest - (sums[at - 1] if at else 0)

    def _settle(self, groups: int) -> None:
        totals = self._totals
        for group in range(len(totals) - 1, groups):
            totals.append(totals[-1] + self._sums[group])
