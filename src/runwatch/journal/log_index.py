"""A sparse index over one growing log: for each 64 KiB how many lines begin there and when the last of them was.

Must not keep an object a line, and never reads a byte twice while it follows. The end is indexed first, then the rest
from the beginning, in slices; until both meet, what lies between is an estimate.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from math import inf
from time import perf_counter

from runwatch.journal.line_table import LineTable
from runwatch.journal.log_block import BLOCK_BYTES, Block, Bounds
from runwatch.journal.log_ends import FLOOR_S, BlockEnds
from runwatch.journal.log_order import LogOrder
from runwatch.journal.log_scanner import Scanner
from runwatch.journal.log_stream import TAIL_BYTES, LogStream
from runwatch.journal.log_time import HEAD_BYTES
from runwatch.journal.log_times import LineTimes

AT_ONCE_BYTES = 4 << 20
"""What is new is read at once up to this; beyond it the end comes first."""

_SLICE_BYTES = 256 << 10
_TAIL_BLOCKS = 2
_TAIL_COUNTED = 64
_CACHED_BLOCKS = 48
_ESTIMATE_BYTES = 120

_local = threading.local()


def _buffer() -> bytearray:
    """Return this thread's buffer for reading: one for all logs, so that many of them cost no more memory."""
    if not hasattr(_local, "buffer"):
        _local.buffer = bytearray(_SLICE_BYTES)
    return _local.buffer  # type: ignore[no-any-return]  # threading.local has no attribute types


class LogIndex:
    """Lines, offsets and times of one log in the order of the file. Belongs to one thread at a time."""

    def __init__(self, stream: LogStream, rule: LineTimes) -> None:
        self.stream = stream
        self.rule = rule
        self.generation = 0
        """Changes whenever a row may show something else."""
        self.order = LogOrder(self)
        """The same lines as rows, in the order of their times."""
        self._begin()

    def _begin(self) -> None:
        self.epoch = self.stream.epoch
        self.rule.reset()
        self.table = LineTable()
        self.table.grow(1)
        self.ends = BlockEnds()
        self.ends.grow(1)
        self._arrivals = self.rule.arrivals
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._front = self._end = Scanner(0)
        self.table.set(0, 1)

    @property
    def keeps_file_order(self) -> bool:
        """True where the order in which bytes arrived is the order of the lines."""
        return self._arrivals is not None

    @property
    def exact(self) -> bool:
        """True when every line has been counted."""
        return self._front is self._end

    @property
    def row_count(self) -> int:
        """Lines, an unfinished last one included; an estimate while not ``exact``."""
        return self.table.total - (self._end.line_start == self.stream.size)

    @property
    def finished_bytes(self) -> int:
        """Where the line under way begins: the end when the last line has its line feed."""
        return self.stream.size if self._end.line_start is None else self._end.line_start

    def poll(self) -> bool:
        """Look at the files, and index what is new at the end; return True when anything changed."""
        before = self.stream.size
        changed = self.stream.poll()
        if changed:
            if self.stream.epoch != self.epoch:
                self._begin()
                before = 0
            if self.stream.size > before and self.rule.base is None:
                self.rule.seen.add((self.stream.modified_s if before == 0 else None) or self.rule.clock(), before)
            self._follow_end()
        if self.rule.arrivals is not self._arrivals:
            self._arrivals = self.rule.arrivals
            self._blocks.clear()
            changed = True
        self.generation += changed
        return changed

    def retime(self) -> None:
        """Forget the times of lines: more about their arrival became known."""
        self._blocks.clear()
        self.generation += 1

    def work(self, budget_s: float) -> bool:
        """Index what lies between, for about ``budget_s``; return True when some is left."""
        until = perf_counter() + budget_s
        while not self.exact:
            before = self._front.at
            last_block = (before + 1 + _SLICE_BYTES) // BLOCK_BYTES
            self._read(self._front, min(self._end.begin, last_block * BLOCK_BYTES - 1))
            if self._front.line_start is not None:
                self.ends.settle(self._front.line_start // BLOCK_BYTES)
            self.generation += 1
            if self._front.at >= self._end.begin:
                self._join()
            elif self._front.at == before:
                return False  # the file lost its bytes meanwhile: the next poll says so
            if perf_counter() >= until:
                break
        return not self.exact

    def offsets(self, row: int, count: int) -> list[int]:
        """Return where up to ``count`` lines begin, from the ``row``-th line of the file on."""
        found: list[int] = []
        if not 0 <= row < self.table.total:
            return found
        number = self.table.find(row)[0]
        while number < len(self.table) and len(found) < count:
            self.count_exactly(number)
            skip = max(row - self.table.before(number), 0) if not found else 0
            if skip < self.table.count(number):
                found.extend(self.block(number).starts[skip : skip + count - len(found)])
            number += 1
        if found and found[-1] >= self.stream.size:
            found.pop()
        return found

    def row_at(self, offset: int) -> int:
        """Return the number in the file of the line that begins at, or holds, an offset."""
        number = min(offset // BLOCK_BYTES, len(self.table) - 1)
        self.count_exactly(number)
        inside = bisect_right(self.block(number).starts, offset)
        return max(self.table.before(number) + inside - 1, 0)

    def time_at(self, offset: int) -> float:
        """Return the effective time of the line that begins at an offset: what orders it among other logs."""
        number = offset // BLOCK_BYTES
        block = self.block(number)
        at = bisect_right(block.starts, offset) - 1
        return block.times[at] if at >= 0 else self.block_opens(number)

    def block(self, number: int) -> Block:
        """Return the lines of a block, as far as the log goes now."""
        bounds = self.bounds(number)
        block = self._blocks.get(number)
        if block is None or not block.fits(bounds):
            block = self._blocks[number] = Block(number, bounds)
            if len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        if not block.complete:
            block.extend(self.stream, self.rule)
        return block

    def block_opens(self, number: int) -> float:
        """Return the time at which the block above ended."""
        if self._arrivals is None:
            return self.ends.begin(number)
        return self._arrived_by(number - 1) if number else FLOOR_S

    def bounds(self, number: int) -> Bounds:
        """Return what is known of the times in a block without looking at its lines."""
        if self._arrivals is None:
            return self.ends.bounds(number)
        opens = self.block_opens(number)
        closes = inf if number >= len(self.table) - 1 else self._arrived_by(number)
        return Bounds(opens, opens, closes, closes)

    def block_after(self, time: float) -> int:
        """Return the first block that ends later than ``time``, else the last one."""
        if self._arrivals is None:
            return self.ends.after(time)
        offset = self._arrivals.offset_after(time)
        last = len(self.table) - 1
        return last if offset is None else min(offset // BLOCK_BYTES, last)

    # What the scanners report

    def count_block(self, number: int, lines: int) -> None:
        """Take the number of lines that begin in a block, counted from its first byte."""
        if number >= len(self.table):
            self._grow()
        self.table.set(number, lines)

    def time_block(self, number: int, time: float) -> None:
        """Take the time that the newest finished line of a block states."""
        self.ends.last[number] = time

    # Growth

    def _follow_end(self) -> None:
        size = self.stream.size
        if self.rule.base is None and self._front.at < BLOCK_BYTES:
            self._read(self._front, min(size, BLOCK_BYTES - 1))
        self._grow()
        if size - self._end.at > AT_ONCE_BYTES:
            first = max(size // BLOCK_BYTES - _TAIL_BLOCKS + 1, 1)
            if first * BLOCK_BYTES - 1 > self._front.at:
                self._end = Scanner(first * BLOCK_BYTES - 1)
                self._open_gap(first)
        self._read(self._end, size)
        self._settle_end()

    def _grow(self) -> None:
        blocks = self.stream.size // BLOCK_BYTES + 1
        if blocks <= len(self.table):
            return
        counted = self._front.at // BLOCK_BYTES
        estimate = self.table.before(counted) // counted if counted else BLOCK_BYTES // _ESTIMATE_BYTES
        self.table.grow(blocks, estimate if blocks - len(self.table) > _TAIL_BLOCKS else 0)
        self.ends.grow(blocks)

    def _read(self, scanner: Scanner, stop: int) -> None:
        while scanner.at < stop:
            room = stop - scanner.at
            if room > _SLICE_BYTES:  # the last slice is large enough to be all that is kept of the end
                room = min(_SLICE_BYTES, room - TAIL_BYTES)
            if scanner.at >= self.stream.kept_from:
                data: bytes | bytearray = self.stream.read(scanner.at, room)
                length = len(data)
            else:
                data = _buffer()
                length = self.stream.read_into(memoryview(data)[:room], scanner.at)
                self.stream.keep_end(memoryview(data)[:length], scanner.at)
            if not length:
                break
            scanner.feed(data, length, self)

    def count_exactly(self, number: int) -> None:
        """Count the lines of a block whose number is an estimate: rows behind it may move."""
        if not self.table.known(number):
            self.table.set(number, len(self.block(number).starts))
            self.generation += 1

    def count_tail(self, lines: int) -> None:
        """Count the last blocks until they hold so many lines: rows counted from the end are right then."""
        for number in range(len(self.table) - 1, max(len(self.table) - _TAIL_COUNTED, 0) - 1, -1):
            if lines <= 0:
                break
            self.count_exactly(number)
            lines -= self.table.count(number)

    # Times of blocks

    def _open_gap(self, first: int) -> None:
        if self.rule.base is not None:
            lines = self.stream.read(first * BLOCK_BYTES, BLOCK_BYTES).split(b"\n")[1:-1]
            self.ends.open_gap(first, next((time for line in lines if (time := self.rule.own(line)) is not None), None))
            self._blocks.clear()

    def _join(self) -> None:
        """The front has met the end: from here on there is one scanner, and nothing is estimated."""
        start = self._front.line_start
        if start is not None:
            head = self.stream.read(start, min(HEAD_BYTES, self._end.at - start))
            if self._end.line_start is None:
                self._end.take_over(start, head)
            elif self.rule.base is not None and (time := self.rule.own(head.partition(b"\n")[0])) is not None:
                self.ends.last[start // BLOCK_BYTES] = time
        self._front = self._end
        self.ends.close_gap()
        self._blocks.clear()
        self._settle_end()
        self.generation += 1

    def _settle_end(self) -> None:
        if self.rule.base is not None:
            self.ends.base = self.rule.base
        if self._end.line_start is None:
            return
        number = self._end.line_start // BLOCK_BYTES
        if self._front is self._end:
            self.ends.settle(number)
        elif self.rule.base is not None:
            self.ends.settle_behind_gap((self._end.begin + 1) // BLOCK_BYTES, number)

    def _arrived_by(self, number: int) -> float:
        assert self._arrivals is not None
        time = self._arrivals.time_of((number + 1) * BLOCK_BYTES - 1)
        return FLOOR_S if time is None else time
