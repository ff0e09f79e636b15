"""The lines of one 64 KiB block: where each begins, and the time it counts with.

Must not look beyond its block but for the head of the line that crosses its end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate, islice
from math import inf

from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_time import HEAD_BYTES
from runwatch.journal.log_times import LineTimes

BLOCK_BYTES = 64 << 10
"""A line belongs to the block in which it begins."""

_MANY = 4


class Block:
    """Lines that begin in one block, in order; grows while the log's end lies in it."""

    __slots__ = ("_at", "_cap", "_known", "_stop", "_timed", "complete", "floor", "starts", "times")

    def __init__(self, number: int, floor: float) -> None:
        self.starts = array("Q")
        """Offsets in the log."""
        self.times = array("d")
        """Effective times: never falling, never below the block's floor."""
        self.floor = floor
        """Time at which the block before ended."""
        self.complete = False
        """True once no growth of the log can change it."""
        self._stop = (number + 1) * BLOCK_BYTES
        self._at = number * BLOCK_BYTES - 1
        self._cap = inf
        self._timed = 0
        self._known = -1
        if number == 0:
            self.starts.append(0)
            self._at = 0

    def cap(self, ceiling: float) -> None:
        """Let no time be later than ``ceiling``, the time at which the next block begins."""
        if ceiling >= self._cap:
            return
        self._cap = ceiling
        for index in range(len(self.times) - 1, -1, -1):
            if self.times[index] <= ceiling:
                break
            self.times[index] = ceiling

    def extend(self, stream: LogStream, rule: LineTimes) -> None:
        """Take in what the log has now."""
        if self.complete or stream.size == self._known:
            return
        self._known = stream.size
        self._find_starts(stream)
        self._find_times(stream, rule)

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
        if first < len(self.starts):
            base = self.starts[first]
            data = stream.read(base, self._stop + HEAD_BYTES - base)
            del self.times[first:]
            many = len(self.starts) - 1 - first
            if many >= _MANY and rule.arrivals is None:
                self._time_all(data[: self.starts[-1] - base], many, rule)
            self._time_each(data, base, rule)
        self.complete = self._at >= self._stop - 1 and self._timed == len(self.starts)

    def _time_all(self, lines: bytes, count: int, rule: LineTimes) -> None:
        found = rule.own_of_all(lines, count)
        if found is not None:
            latest = islice(accumulate(found, max, initial=self._latest()), 1, None)
            self.times.extend(latest if self._cap == inf else [min(time, self._cap) for time in latest])
            self._timed += count

    def _time_each(self, data: bytes, base: int, rule: LineTimes) -> None:
        arrivals, latest = rule.arrivals, self._latest()
        for index in range(self._timed, len(self.starts)):
            start = self.starts[index]
            at = start - base
            end = data.find(b"\n", at, at + HEAD_BYTES)
            finished = end >= 0 or len(data) - at >= HEAD_BYTES
            if finished or arrivals is not None:
                stated = rule.of_line(data[at : end if end >= 0 else at + HEAD_BYTES], start, arrivals)
                if stated is not None and stated > latest:
                    latest = stated
            self.times.append(min(latest, self._cap))
            if finished and self._timed == index:
                self._timed = index + 1

    def _latest(self) -> float:
        return self.times[-1] if self.times else self.floor

    def lines_until(self, time: float) -> int:
        """Return how many of its lines count with ``time`` or earlier."""
        return bisect_right(self.times, time)
