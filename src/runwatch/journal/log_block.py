"""The lines of one 64 KiB block as they stand in the file: where each begins, and the time it counts with.

Must not look beyond its block but for the head of the line that crosses its end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, islice
from math import inf
from typing import NamedTuple

from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_time import HEAD_BYTES
from runwatch.journal.log_times import WINDOW_S, LineTimes

BLOCK_BYTES = 64 << 10
"""A line belongs to the block in which it begins."""

_MANY = 4


class Bounds(NamedTuple):
    """What the table of blocks says about the times in one of them."""

    earliest: float
    """No line of it is put in front of this: the time at which the block before the one above it ended."""
    opens: float
    """Time at which the block above ended."""
    closes: float
    """Time at which it ends; infinite while a line of it is under way."""
    latest: float
    """No line of it is put behind this: the time at which the next block ends."""


class Block:
    """Lines that begin in one block, in the order of the file; grows while the log's end lies in it.

    ``closes`` and the running maximum of the times make a never falling middle. A line that states a time within the
    window around it counts with that, any other with the middle: it stays where it stands.
    """

    __slots__ = (
        "_at",
        "_group",
        "_known",
        "_pairs",
        "_stop",
        "_timed",
        "_top",
        "_whole",
        "bounds",
        "complete",
        "least",
        "lines",
        "most",
        "sorted",
        "starts",
        "times",
    )

    ends: Sequence[int] | None = None
    """Every line ends where the next one begins."""

    def __init__(self, number: int, bounds: Bounds) -> None:
        self.starts = array("Q")
        """Offsets in the log; the last one may be the log's end, where no line is yet."""
        self.times = array("d")
        """Effective time of each start."""
        self.lines = 0
        """How many of the starts are lines."""
        self.bounds = bounds
        self.sorted = True
        """True while no line counts with an earlier time than one above it."""
        self.least, self.most = inf, -inf
        """The earliest and the latest time of its lines."""
        self.complete = False
        """True once no growth of the log can change it."""
        self._stop = (number + 1) * BLOCK_BYTES
        self._at = number * BLOCK_BYTES - 1
        self._top = bounds.opens
        self._group = bounds.opens
        self._timed = 0
        self._whole = True
        self._known = -1
        self._pairs: list[tuple[float, int]] | None = None
        if number == 0:
            self.starts.append(0)
            self._at = 0

    def fits(self, bounds: Bounds) -> bool:
        """Take new bounds if they change no time; return False when the block must be made anew."""
        if bounds == self.bounds:
            return True
        ceiling = min(self.bounds.closes, bounds.closes)
        if bounds[:2] != self.bounds[:2] or self._top > ceiling or self._group < bounds.opens:
            return False
        self.bounds = bounds
        return True

    def extend(self, stream: LogStream, rule: LineTimes) -> bool:
        """Take in what the log has now; return True when anything changed."""
        if self.complete or stream.size == self._known:
            return False
        self._known = stream.size
        self._find_starts(stream)
        if self._timed < len(self.starts):
            self._find_times(stream, rule)
        self.lines = len(self.starts) - bool(self.starts and self.starts[-1] == stream.size)
        return True

    def _find_starts(self, stream: LogStream) -> None:
        """Find line feeds up to the last byte before the block's end; a start at the log's end is no line yet."""
        if self._at < self._stop - 1:
            data = stream.read(self._at, self._stop - 1 - self._at)
            lengths = [len(line) + 1 for line in data.split(b"\n")]
            lengths.pop()
            self.starts.extend(islice(accumulate(lengths, initial=self._at), 1, None))
            self._at += len(data)

    def _find_times(self, stream: LogStream, rule: LineTimes) -> None:
        first = self._timed
        base = self.starts[first]
        data = stream.read(base, self._stop + HEAD_BYTES - base)
        del self.times[first:]
        many = len(self.starts) - 1 - first
        if many >= _MANY and rule.arrivals is None:
            self._time_all(data[: self.starts[-1] - base], many, rule)
        self._time_each(data, base, rule)
        self.complete = self._at >= self._stop - 1 and self._timed == len(self.starts)
        if self.complete and self._group < self.bounds.opens and self.bounds.closes < inf:
            self._keep_last()
        self._whole = self._whole and _rises(self.times[max(first - 1, 0) : self._timed])
        self._sum_up(len(self.starts) - (self.starts[-1] == stream.size))

    def _sum_up(self, lines: int) -> None:
        self._pairs = None
        times = self.times[:lines]
        self.sorted = self._whole and _rises(times[max(self._timed - 1, 0) :])
        if times:
            self.least, self.most = (times[0], times[-1]) if self.sorted else (min(times), max(times))

    def _time_all(self, lines: bytes, count: int, rule: LineTimes) -> None:
        found = rule.own_of_all(lines, count)
        if found is None:
            return
        if found[0] >= self._top and _rises(found) and found[-1] <= self.bounds.closes:
            self.times.extend(found)
            self._top = self._group = found[-1]
        else:
            for time in found:
                self._group = self._placed(time)
                self.times.append(self._group)
        self._timed += count

    def _time_each(self, data: bytes, base: int, rule: LineTimes) -> None:
        arrivals = rule.arrivals
        for index in range(self._timed, len(self.starts)):
            start = self.starts[index]
            at = start - base
            end = data.find(b"\n", at, at + HEAD_BYTES)
            finished = end >= 0 or len(data) - at >= HEAD_BYTES
            stated = None
            if finished or arrivals is not None:
                stated = rule.of_line(data[at : end if end >= 0 else at + HEAD_BYTES], start, arrivals)
            if arrivals is not None:  # the order in which bytes arrived is the order of the log
                time = min(max(self._top, stated or 0.0), self.bounds.closes)
                self._top = max(self._top, time if finished else 0.0)
            else:
                time = self._group if stated is None else self._placed(stated)
            self.times.append(time)
            if finished and self._timed == index:
                self._timed = index + 1
                self._group = time

    def _keep_last(self) -> None:
        """Let the last line that states a time stay where it stands: what belongs to it may go on in the next block."""
        for index in range(len(self.times) - 1, -1, -1):
            if self.times[index] != self._group:
                break
            self.times[index] = self.bounds.closes

    def _placed(self, stated: float) -> float:
        """Return the time that a line counts with which states one.

        Far from the middle its own would tear apart what was written together.
        """
        bounds = self.bounds
        self._top = max(self._top, stated)
        middle = min(self._top, bounds.closes)
        near = middle - WINDOW_S <= stated <= middle + WINDOW_S
        return stated if near and bounds.earliest <= stated <= bounds.latest else middle

    def pairs(self) -> Sequence[tuple[float, int]]:
        """Return (time, place in the block) of each line, in the order of time, then of the file."""
        if self._pairs is None:
            self._pairs = sorted(zip(self.times[: self.lines], range(self.lines), strict=True))
        return self._pairs

    def lines_until(self, time: float) -> int:
        """Return how many of its lines count with ``time`` or earlier."""
        if self.sorted:
            return bisect_right(self.times, time, 0, self.lines)
        return bisect_right(self.pairs(), (time, self.lines))


def _rises(times: Sequence[float]) -> bool:
    return all(map(float.__le__, times, islice(times, 1, None)))
