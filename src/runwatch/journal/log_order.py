"""The lines of one log in the order of their times: those of several writers are put in order within a window.

Must not read files itself. A line moves by no more than the window, and no further than to the block next to its own
or the one behind that: so a few blocks tell what stands at any row.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple
from weakref import ref

from runwatch.journal.log_block import BLOCK_BYTES
from runwatch.journal.log_rows import BlockOfRows, RowIndex
from runwatch.journal.log_times import WINDOW_S

REACH = 2
"""Lines of blocks further apart than this never change places."""
_CACHED_CHUNKS = 12


class Chunk(NamedTuple):
    """As many lines as begin in one block, in the order of their times, from the same row on."""

    times: Sequence[float]
    """Never falling, also from chunk to chunk."""
    starts: Sequence[int]
    """Offsets in the log."""
    ends: Sequence[int] | None
    """Where in the file the line below each begins, 0 where that lies in another block; None: the next start."""
    lines: int
    """How many."""

    def end(self, at: int) -> int | None:
        """Return where the line ends, where that is known without reading."""
        if self.ends is not None:
            return self.ends[at] or None
        return self.starts[at + 1] if at + 1 < len(self.starts) else None


class LogOrder:
    """Rows of one log, and how many lines count with a time or earlier."""

    def __init__(self, index: RowIndex) -> None:
        self._of = ref(index)  # the index holds its order: a cycle would keep files open that nobody shows any more
        self._chunks: OrderedDict[int, tuple[int, Chunk]] = OrderedDict()
        self._border: tuple[BlockOfRows, float] | None = None
        """The newest block, and its earliest time when nothing above came after that."""

    @property
    def _index(self) -> RowIndex:
        index = self._of()
        assert index is not None
        return index

    def chunk(self, number: int) -> Chunk:
        """Return the lines at the rows of a block."""
        index = self._index
        if index.keeps_file_order:
            return _as_it_stands(index.block(number))
        known = self._chunks.get(number)
        if known is not None and known[0] == index.generation:
            return known[1]
        chunk = self._sorted(number)
        self._chunks[number] = (index.generation, chunk)
        self._chunks.move_to_end(number)
        if len(self._chunks) > _CACHED_CHUNKS:
            self._chunks.popitem(last=False)
        return chunk

    def row_of(self, offset: int) -> int:
        """Return the row of the line that begins at, or holds, an offset."""
        index = self._index
        number = min(offset // BLOCK_BYTES, len(index.table) - 1)
        block = index.block(number)
        at = bisect_right(block.starts, offset) - 1
        if at < 0:
            return max(index.table.before(number) - 1, 0)
        for near in (number, number - 1, number + 1, number - 2, number + 2):
            if 0 <= near < len(index.table):
                place = _place_in(self.chunk(near), block.times[at], block.starts[at])
                if place is not None:
                    index.count_exactly(near)
                    return index.table.before(near) + place
        return index.table.before(number) + at

    def lines_until(self, time: float) -> int:
        """Return how many lines count with ``time`` or earlier."""
        index = self._index
        first, last = self._around(time)
        lines = index.table.before(first)
        for number in range(first, last + 1):
            lines += index.block(number).lines_until(time)
        return min(lines, index.row_count)

    def bounds_until(self, time: float) -> tuple[int, int]:
        """Return the least and the largest that ``lines_until`` can be, from the block table alone."""
        table = self._index.table
        first, last = self._around(time)
        return table.before(first), table.before(last) + table.count(last)

    def latest_time(self) -> float:
        """Return a time that no line comes after, and that is not far from the newest."""
        index = self._index
        last = index.table.find(index.row_count - 1)[0] if index.row_count else 0
        times = [index.block(number).most for number in range(max(last - REACH, 0), last + 1)]
        return max(index.block_opens(last), *times)

    def earliest_in(self, number: int) -> float:
        """Return a time that no line of a block comes before."""
        bounds = self._index.bounds(number)
        return bounds.opens if self._index.keeps_file_order else max(bounds.opens - WINDOW_S, bounds.earliest)

    def latest_in(self, number: int) -> float:
        """Return a time that no line of a block comes after."""
        bounds = self._index.bounds(number)
        return bounds.closes if self._index.keeps_file_order else min(bounds.closes + WINDOW_S, bounds.latest)

    def _around(self, time: float) -> tuple[int, int]:
        """Return the first and the last block that may hold lines on both sides of a time."""
        index = self._index
        first = last = index.block_after(time)
        if not index.keeps_file_order:
            if first and self.latest_in(first - 1) > time:
                first -= 1
            if last + 1 < len(index.table) and self.earliest_in(last + 1) <= time:
                last += 1
        return first, last

    def _sorted(self, number: int) -> Chunk:
        block = self._index.block(number)
        newest = number == len(self._index.table) - 1
        if not block.lines or (newest and block.sorted and self._border == (block, block.least)):
            return _as_it_stands(block)
        above = self._neighbors(number, range(max(number - REACH, 0), number))
        below = self._neighbors(number, range(number + 1, min(number + REACH + 1, len(self._index.table))))
        least = min(each.least for each in (block, *below))
        most = max(each.most for each in (block, *above))
        above = [each for each in above if each.most > least]
        below = [each for each in below if each.least < most]
        if block.sorted and not above and not below:
            self._border = (block, block.least) if newest else self._border
            return _as_it_stands(block)
        return _merged(above, block, below)

    def _neighbors(self, number: int, numbers: range) -> list[BlockOfRows]:
        """Return the blocks among some whose lines may change places with those of one block."""
        if not numbers:
            return []
        earliest, latest = self.earliest_in(number), self.latest_in(number)
        return [
            self._index.block(near)
            for near in numbers
            if (self.latest_in(near) > earliest if near < number else self.earliest_in(near) < latest)
        ]


def _as_it_stands(block: BlockOfRows) -> Chunk:
    return Chunk(block.times, block.starts, block.ends, block.lines)


def _merged(above: Sequence[BlockOfRows], block: BlockOfRows, below: Sequence[BlockOfRows]) -> Chunk:
    members = (*above, block, *below)
    lines = [(time, part, at) for part, each in enumerate(members) for time, at in each.pairs()]
    lines.sort()
    skipped = sum(each.lines for each in above)
    lines = lines[skipped : skipped + block.lines]
    return Chunk(
        [time for time, _, _ in lines],
        [members[part].starts[at] for _, part, at in lines],
        [_end(members[part], at) for _, part, at in lines],
        block.lines,
    )


def _end(block: BlockOfRows, at: int) -> int:
    if block.ends is not None:
        return block.ends[at]
    return block.starts[at + 1] if at + 1 < len(block.starts) else 0


def _place_in(chunk: Chunk, time: float, start: int) -> int | None:
    first = bisect_left(chunk.times, time, 0, chunk.lines)
    if first < chunk.lines and chunk.starts[first] == start:
        return first
    last = bisect_right(chunk.times, time, first, chunk.lines)
    place = bisect_left(chunk.starts, start, first, last)  # equal times stand in the order of the file
    return place if place < last and chunk.starts[place] == start else None
