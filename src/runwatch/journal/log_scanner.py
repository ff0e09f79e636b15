"""Runs once over the bytes of a log, in order, and reports what each block holds.

Must not read: it is fed. Keeps no more than the head of the line under way.
"""

from __future__ import annotations

from typing import Protocol

from runwatch.journal.log_block import BLOCK_BYTES
from runwatch.journal.log_time import HEAD_BYTES
from runwatch.journal.log_times import LineTimes


class BlockSink(Protocol):
    """Takes what a scanner finds."""

    rule: LineTimes
    """How lines of the log state their times."""

    def count_block(self, number: int, lines: int) -> None:
        """Take the number of lines that begin in a block so far."""

    def time_block(self, number: int, time: float) -> None:
        """Take the time of the newest finished line of a block."""


class Scanner:
    """A place in a log, with the line that is under way there."""

    __slots__ = ("_block", "_head", "_lines", "at", "begin", "line_start")

    def __init__(self, begin: int) -> None:
        """Begin at 0, or at the byte before a block: whether it is a line feed tells where that block's lines begin."""
        self.begin = begin
        self.at = begin
        self.line_start: int | None = 0 if begin == 0 else None
        """Where the line under way begins; None when that lies before ``begin``."""
        self._head = b""
        self._block = 0 if begin == 0 else (begin + 1) // BLOCK_BYTES
        self._lines = 1 if begin == 0 else 0

    def take_over(self, line_start: int, head: bytes) -> None:
        """Learn where the line under way begins, from the scanner that came from there."""
        self.line_start, self._head = line_start, head

    def feed(self, data: bytes | bytearray, length: int, sink: BlockSink) -> None:
        """Take the next ``length`` bytes of the log, and tell the sink what they hold."""
        base, at = self.at, 0
        while at < length:
            block = (base + at + 1) // BLOCK_BYTES
            stop = min(length, (block + 1) * BLOCK_BYTES - 1 - base)
            if block != self._block:
                self._block, self._lines = block, 0
            lines = data.count(b"\n", at, stop)
            self._lines += lines
            sink.count_block(block, self._lines)
            if lines:
                self._take_lines(data, base, at, stop, sink)
            elif len(self._head) < HEAD_BYTES:
                self._head += bytes(data[at : min(stop, at + HEAD_BYTES - len(self._head))])
            at = stop
        self.at = base + length

    def _take_lines(self, data: bytes | bytearray, base: int, at: int, stop: int, sink: BlockSink) -> None:
        rule = sink.rule
        first = data.find(b"\n", at, stop)
        last = data.rfind(b"\n", at, stop)
        if rule.base is None and self._block == 0:
            self._find_base(data, at, last, rule)
        if rule.base is not None:
            if self.line_start is not None:
                line = self._head + bytes(data[at : min(first, at + HEAD_BYTES)])
                if (time := rule.own(line)) is not None:
                    sink.time_block(self.line_start // BLOCK_BYTES, time)
            end = last
            while end > first:
                start = data.rfind(b"\n", first, end) + 1
                if (time := rule.own(bytes(data[start : min(end, start + HEAD_BYTES)]))) is not None:
                    sink.time_block(self._block, time)
                    break
                end = start - 1
        self.line_start = base + last + 1
        self._head = bytes(data[last + 1 : min(stop, last + 1 + HEAD_BYTES)])

    def _find_base(self, data: bytes | bytearray, at: int, last: int, rule: LineTimes) -> None:
        for line in (self._head + bytes(data[at:last])).split(b"\n"):
            if (time := rule.own(line)) is not None:
                rule.base = time
                break
