"""The lines of one 64 KiB block: where each begins, and the time it counts with.

Must not look beyond its block but for the head of the line that crosses its end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from math import inf

from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_time import HEAD_BYTES
from runwatch.journal.log_times import LineTimes

BLOCK_BYTES = 64 << 10
"""A line belongs to the block in which it begins."""


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
        if self._at >= self._stop - 1:
            return
        base = self._at
        data = stream.read(base, self._stop - 1 - base)
        at = data.find(b"\n")
        while at >= 0:
            self.starts.append(base + at + 1)
            at = data.find(b"\n", at + 1)
        self._at = base + len(data)

    def _find_times(self, stream: LogStream, rule: LineTimes) -> None:
        arrivals = rule.arrivals
        first = self._timed
        if first < len(self.starts):
            base = self.starts[first]
            data = stream.read(base, self._stop + HEAD_BYTES - base)
            del self.times[first:]
            latest = self.times[-1] if first else self.floor
            for index in range(first, len(self.starts)):
                start = self.starts[index]
                end = data.find(b"\n", start - base, start - base + HEAD_BYTES)
                finished = end >= 0 or len(data) - (start - base) >= HEAD_BYTES
                if finished or arrivals is not None:
                    line = data[start - base : end if end >= 0 else start - base + HEAD_BYTES]
                    stated = rule.of_line(line, start, arrivals)
                    if stated is not None and stated > latest:
                        latest = stated
                self.times.append(min(latest, self._cap))
                if finished and self._timed == index:
                    self._timed = index + 1
        self.complete = self._at >= self._stop - 1 and self._timed == len(self.starts)

    def lines_until(self, time: float) -> int:
        """Return how many of its lines count with ``time`` or earlier."""
        return bisect_right(self.times, time)
