"""The lines of one log from a level on: an index over an index, counted from the end, with no object a line.

Must not read files but through the index beneath. Blocks that were not looked at yet hold no line.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from math import inf
from time import perf_counter

from runwatch.journal.line_table import LineTable
from runwatch.journal.log_block import BLOCK_BYTES, Block, Bounds
from runwatch.journal.log_hits import HitCounter, Matcher
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_levels import LevelBar
from runwatch.journal.log_order import LogOrder

_AT_ONCE_BLOCKS = 8
_GROUP = 16
_OVERLAP_BYTES = 4096
_CACHED_BLOCKS = 48


class ChosenBlock:
    """The wanted lines of a block; the same to the order as a block."""

    __slots__ = ("_pairs", "ends", "least", "lines", "most", "sorted", "starts", "times")

    def __init__(self, block: Block, chosen: Sequence[int]) -> None:
        behind = len(block.starts)
        self.starts = array("Q", [block.starts[line] for line in chosen])
        self.ends = [block.starts[line + 1] if line + 1 < behind else 0 for line in chosen]
        self.times = array("d", [block.times[line] for line in chosen])
        self.lines = len(chosen)
        self.sorted = all(map(float.__le__, self.times, self.times[1:]))
        self.least, self.most = (min(self.times), max(self.times)) if chosen else (inf, -inf)
        self._pairs: list[tuple[float, int]] | None = None

    def pairs(self) -> Sequence[tuple[float, int]]:
        """Return (time, place in the block) of each line, in the order of time, then of the file."""
        if self._pairs is None:
            self._pairs = sorted(zip(self.times, range(self.lines), strict=True))
        return self._pairs

    def lines_until(self, time: float) -> int:
        """Return how many of its lines count with ``time`` or earlier."""
        return bisect_right(self.times, time) if self.sorted else bisect_right(self.pairs(), (time, self.lines))


class _Picked:
    """What was chosen of one block, as far as its lines are finished."""

    __slots__ = ("done", "marked", "passed")

    def __init__(self, passed: int) -> None:
        self.marked: list[int] = []
        self.done = 0
        self.passed = passed


class FilteredIndex:
    """Rows of one log from a level on. Belongs to one thread at a time, as the index beneath."""

    def __init__(self, index: LogIndex, bar: LevelBar) -> None:
        self.index = index
        self.bar = bar
        self.order = LogOrder(self)
        """Its lines as rows, in the order of their times."""
        self.changes = 0
        """Counts what became known without a change of the log."""
        self._begin()

    def _begin(self) -> None:
        self.epoch = self.index.epoch
        self.table = LineTable()
        self._picked: OrderedDict[int, _Picked] = OrderedDict()
        self._blocks: OrderedDict[int, tuple[int, ChosenBlock]] = OrderedDict()
        self._ends = bytearray()
        """Of each block what its last line passes on to those below, if it stands on the rarer side; 255: not known."""
        self._tail = self._head = max(len(self.index.table) - _AT_ONCE_BLOCKS, 0)
        self._seen = -1

    @property
    def exact(self) -> bool:
        """True when every line has been looked at, and counted."""
        return self.complete and self.index.exact

    @property
    def complete(self) -> bool:
        """True when every line has been looked at."""
        return self._head == 0 and self._seen == self.index.generation

    @property
    def first_block(self) -> int:
        """Block from which on lines have been looked at."""
        return self._head

    @property
    def row_count(self) -> int:
        """Wanted lines found so far."""
        return self.table.total

    @property
    def generation(self) -> int:
        """Changes whenever a row may show something else."""
        return self.index.generation + self.changes

    def follow(self) -> None:
        """Take in what is new at the end."""
        if self.epoch != self.index.epoch:
            self._begin()
        if self._seen == self.index.generation:
            return
        self._seen = self.index.generation
        blocks = len(self.index.table)
        self.table.grow(blocks)
        self._ends.extend(b"\xff" * (blocks - len(self._ends)))
        while self._tail < blocks:
            self._count(self._tail)
            if self._tail == blocks - 1:
                break
            self._tail += 1

    def work(self, budget_s: float) -> bool:
        """Look at older lines for about ``budget_s``; return True when more are left."""
        until = perf_counter() + budget_s
        while self._head > 0:
            first = max(self._head - _GROUP, 0)
            for number in range(first, self._head):
                self._count(number)
            self._head = first
            self.changes += 1
            if perf_counter() >= until:
                break
        return self._head > 0

    def count_exactly(self, number: int) -> None:
        """Do nothing: blocks are counted as they are looked at."""

    def count_tail(self, lines: int) -> None:
        """Do nothing, as above."""

    def block(self, number: int) -> ChosenBlock:
        """Return the wanted lines of a block; none of one that was not looked at yet."""
        if not self.table.count(number):
            return _NOTHING
        known = self._blocks.get(number)
        if known is not None and known[0] == self.generation:
            return known[1]
        base = self.index.block(number)
        chosen = ChosenBlock(base, self._choose(number, base))
        self._blocks[number] = self.generation, chosen
        self._blocks.move_to_end(number)
        if len(self._blocks) > _CACHED_BLOCKS:
            self._blocks.popitem(last=False)
        return chosen

    def _count(self, number: int) -> None:
        if number < len(self.index.table) - 1 and self.index.table.known(number) and self._nothing_marked(number):
            self._ends[number] = 0
            self.table.set(number, len(self.bar.chosen((), self.index.table.count(number))))
        else:
            self.table.set(number, len(self._choose(number, self.index.block(number))))

    def _nothing_marked(self, number: int) -> bool:
        """Tell, without looking for its lines, whether a block holds nothing of the rarer side."""
        data = self.index.stream.read(number * BLOCK_BYTES, BLOCK_BYTES + _OVERLAP_BYTES)
        ends_near = len(data) <= BLOCK_BYTES or data.find(b"\n", BLOCK_BYTES) >= 0
        return ends_near and not self.bar.may_mark(data) and not self._passed_by(number - 1)

    def _choose(self, number: int, block: Block) -> list[int]:
        picked = self._picked.get(number)
        if picked is None:
            picked = self._picked[number] = _Picked(self._passed_by(number - 1))
            if len(self._picked) > _CACHED_BLOCKS:
                self._picked.popitem(last=False)
        self._picked.move_to_end(number)
        finished = block.lines
        last = number == len(self.index.table) - 1
        if last and finished and block.starts[finished - 1] >= self.index.finished_bytes:
            finished -= 1
        if finished > picked.done:
            marked, picked.passed = self._marked(block, picked.done, finished, picked.passed)
            picked.marked += marked
            picked.done = finished
            if block.complete and len(picked.marked) < block.lines:  # else what it began with may still go on
                self._ends[number] = picked.passed
        marked = picked.marked
        if block.lines > finished:  # as it looks now; what it becomes is seen when it is finished
            marked = marked + self._marked(block, finished, block.lines, picked.passed)[0]
        return self.bar.chosen(marked, block.lines)

    def _passed_by(self, number: int) -> int:
        """Return what the last line of a block passes on to those below it, if it stands on the rarer side.

        Told from that block alone, so that it is the same whatever was looked at before.
        """
        if number < 0:
            return 0
        if self._ends[number] == 0xFF:
            block = self.index.block(number)
            self._ends[number] = self._marked(block, 0, block.lines, 0)[1] if block.lines else 0
        return self._ends[number]

    def _marked(self, block: Block, first: int, last: int, passed: int) -> tuple[list[int], int]:
        begin = block.starts[first]
        end = block.starts[last] if last < len(block.starts) else block.starts[last - 1] + BLOCK_BYTES
        data = self.index.stream.read(begin, end - begin)
        if last == len(block.starts):
            stop = data.find(b"\n", block.starts[last - 1] - begin)
            data = data if stop < 0 else data[: stop + 1]
        starts = [start - begin for start in block.starts[first:last]]
        rule = self.index.rule
        near = rule.base if rule.arrivals is None and rule.base is not None else 1.0
        marked, passed = self.bar.marked(data, starts, near, passed)
        return [first + line for line in marked], passed

    # What it shares with the index beneath

    @property
    def keeps_file_order(self) -> bool:
        """True where the order in which bytes arrived is the order of the lines."""
        return self.index.keeps_file_order

    def bounds(self, number: int) -> Bounds:
        """Return what is known of the times in a block."""
        return self.index.bounds(number)

    def block_opens(self, number: int) -> float:
        """Return the time at which the block above ended."""
        return self.index.block_opens(number)

    def block_after(self, time: float) -> int:
        """Return the first block that ends later than ``time``, else the last one."""
        return min(self.index.block_after(time), max(len(self.table) - 1, 0))

    def time_at(self, offset: int) -> float:
        """Return the effective time of the line that begins at an offset."""
        return self.index.time_at(offset)


class FilteredHits:
    """Counts the matching ones among the wanted lines of one log, the newest first."""

    def __init__(self, index: FilteredIndex, matcher: Matcher) -> None:
        self._index = index
        self._all = HitCounter(index.index, matcher)
        self._begin()

    def _begin(self) -> None:
        self._epoch = self._index.epoch
        self._low = self._high = max(len(self._index.table) - 1, 0)
        self._newest = 0
        self._seen = -1
        self.total = 0
        """Matching lines counted so far."""

    @property
    def complete(self) -> bool:
        """True when every wanted line was looked at."""
        return self._seen == self._index.generation and self._index.complete and self._low == 0

    def advance(self, budget_s: float) -> bool:
        """Go on for about ``budget_s``; return True when more is left."""
        if self._epoch != self._index.epoch:
            self._begin()
        if self._seen != self._index.generation:
            self._seen = self._index.generation
            self._follow()
        until = perf_counter() + budget_s
        while self._low > self._index.first_block:
            self._low -= 1
            self.total += len(self.in_block(self._low))
            if perf_counter() >= until:
                break
        return self._low > self._index.first_block

    def in_block(self, number: int) -> list[int]:
        """Return the offsets of the matching wanted lines that begin in a block."""
        if not self._index.table.count(number):
            return []
        wanted = set(self._index.block(number).starts)
        return [offset for offset in self._all.in_block(number) if offset in wanted]

    def _follow(self) -> None:
        while self._high < len(self._index.table):
            found = len(self.in_block(self._high))
            self.total += found - self._newest
            self._newest = found
            if self._high == len(self._index.table) - 1:
                break
            self._high += 1
            self._newest = 0


_NOTHING = ChosenBlock(Block(1, Bounds(0.0, 0.0, 0.0, 0.0)), ())
