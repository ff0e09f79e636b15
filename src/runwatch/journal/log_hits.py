"""Which lines of a log match: counted once from front to back, then as the log grows.

Must not decide what a match is, and holds four bytes a block, not one object a hit.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Protocol

from runwatch.journal.log_block import BLOCK_BYTES
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_lines import parse_line

_SLICE_BYTES = 256 << 10
_OVERLAP_BYTES = 4096
_REACH_BYTES = 128 << 10
"""A line is searched up to here."""
_COLORS = re.compile(rb"(?:\x1b|\\u001[bB])\[[0-9;:]{0,60}m")
"""Color sequences as they are, and as JSON writes them: they are not drawn, and not searched."""


class Matcher(Protocol):
    """Says which lines match."""

    def matches(self, data: bytes) -> Iterator[int]:
        """Yield where each matching line of whole lines begins, in order."""


def _as_drawn(data: bytes, find: Callable[[bytes], Iterator[int]]) -> Iterator[int]:
    """Yield where lines begin that ``find`` finds in the data without its color sequences."""
    if b"\x1b[" not in data and b"\\u001" not in data:
        yield from find(data)
        return
    plain = _COLORS.sub(b"", data)
    at = before = 0
    for start in find(plain):
        for _ in range(plain.count(b"\n", before, start)):
            at = data.find(b"\n", at) + 1
        before = start
        yield at


class Pattern:
    """A text or regular expression to look for. Lower case matches any case; a capital letter makes case count."""

    def __init__(self, text: str, *, regex: bool = False) -> None:
        """Raises re.error for a regular expression that is none."""
        self.text = text
        self.regex = regex
        any_case = text == text.lower()
        flags = re.IGNORECASE if any_case else re.NOFLAG
        source = text if regex else re.escape(text)
        self.shown = re.compile(source, flags)
        """For the text as it is drawn."""
        self._needle: bytes | None = None
        self._lower = any_case
        if not regex and "=" not in text:
            self._needle = text.lower().encode() if any_case else text.encode()
        else:  # a pair drawn as key=value stands as "key":"value" in a JSON line
            pairs = source if regex else source.replace("=", '(?:=|"\\s*:\\s*"?)')
            self._bytes = re.compile(pairs.encode(), flags)

    def matches(self, data: bytes) -> Iterator[int]:
        """Yield where each matching line of whole lines begins, in order."""
        return _as_drawn(data, self._by_line if self._needle is None else self._by_text)

    def _by_text(self, data: bytes) -> Iterator[int]:
        needle = self._needle or b""
        if self._lower:
            data = data.lower()
        at = data.find(needle)
        while at >= 0:
            yield data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at)
            at = data.find(needle, end) if end >= 0 else -1

    def _by_line(self, data: bytes) -> Iterator[int]:
        at = 0
        for line in data.split(b"\n"):
            if self._bytes.search(line, 0, _REACH_BYTES):
                yield at
            at += len(line) + 1


class Errors:
    """Matches lines of level ERROR and above: candidates by the usual spellings, then the line as it would be drawn."""

    _SPELLINGS = (
        b"ERROR",
        b"CRITICAL",
        b"FATAL",
        b'"error"',
        b'"fatal"',
        b'"critical"',
        b"rror:",
        b"=error",
        b'"level":50',
        b"\nE",
    )

    def matches(self, data: bytes) -> Iterator[int]:
        """Yield where each such line of whole lines begins, in order."""
        return _as_drawn(data, self._find)

    def _find(self, data: bytes) -> Iterator[int]:
        starts = {0} if data.startswith(b"E") else set()
        for spelling in self._SPELLINGS:
            at = data.find(spelling)
            while at >= 0:
                at += spelling[:1] == b"\n"
                starts.add(data.rfind(b"\n", 0, at) + 1)
                end = data.find(b"\n", at)
                at = data.find(spelling, end) if end >= 0 else -1
        for start in sorted(starts):
            end = data.find(b"\n", start, start + _REACH_BYTES)
            if parse_line(data[start : end if end >= 0 else start + _REACH_BYTES]).level in ("ERROR", "FATAL"):
                yield start


class HitCounter:
    """Counts the matching lines of one log by the block in which they begin."""

    def __init__(self, index: LogIndex, matcher: Matcher, *, first: int = 0) -> None:
        """Begin at the line that holds the offset ``first``."""
        self._index = index
        self._matcher = matcher
        self._first = first
        self._begin()

    def _begin(self) -> None:
        self._epoch = self._index.epoch
        self.at = 0
        self.counts = array("I")
        self.total = 0
        self._skipping = self._first > 0 and self._index.stream.size > self._first
        if self._skipping:
            self.at = self._first

    @property
    def complete(self) -> bool:
        """True when every finished line was looked at."""
        return self._epoch == self._index.epoch and self.at >= self._index.stream.size

    def advance(self, budget_s: float) -> bool:
        """Go on for about ``budget_s``; return True when more is left."""
        if self._epoch != self._index.epoch:
            self._first = 0
            self._begin()
        until = perf_counter() + budget_s
        while self.at < self._index.stream.size:
            if not self._step():
                return False
            if perf_counter() >= until:
                return self.at < self._index.stream.size
        return False

    def _step(self) -> bool:
        data = self._index.stream.read(self.at, _SLICE_BYTES)
        stop = data.rfind(b"\n") + 1
        if self._skipping:  # inside a line that was taken already, or that nobody asked for
            stop = data.find(b"\n") + 1
            self._skipping = not stop
            self.at += stop or len(data)
            return bool(data)
        if stop:
            self._take(data[:stop])
        elif len(data) >= _SLICE_BYTES:  # a line longer than a slice: by its head, then on to its end
            self._take(data[:_REACH_BYTES])
            self._skipping, stop = True, len(data)
        self.at += stop
        return bool(stop)

    def _take(self, data: bytes) -> None:
        for start in self._matcher.matches(data):
            if start >= len(data):
                continue
            block = (self.at + start) // BLOCK_BYTES
            if block >= len(self.counts):
                self.counts.extend([0] * (block + 1 - len(self.counts)))
            self.counts[block] += 1
            self.total += 1

    def _may_match(self, number: int) -> bool:
        """Tell, without looking for its lines, whether anything in a block could match."""
        data = self._index.stream.read(number * BLOCK_BYTES, BLOCK_BYTES + _OVERLAP_BYTES)
        beyond = len(data) > BLOCK_BYTES and data.find(b"\n", BLOCK_BYTES) < 0  # its last line goes on
        return beyond or next(self._matcher.matches(data), None) is not None

    def in_block(self, number: int) -> list[int]:
        """Return the offsets of the matching lines that begin in a block, counted already or not."""
        counted = self._epoch == self._index.epoch and self.at >= (number + 1) * BLOCK_BYTES and not self._first
        if counted and (number >= len(self.counts) or not self.counts[number]):
            return []
        if not counted and not self._may_match(number):
            return []
        starts = self._index.block(number).starts
        if not starts:
            return []
        data = self._index.stream.read(starts[0], starts[-1] - starts[0] + _REACH_BYTES)
        end = data.find(b"\n", starts[-1] - starts[0])
        data = data if end < 0 else data[: end + 1]
        found = []
        for start in self._matcher.matches(data):
            at = bisect_right(starts, starts[0] + start) - 1
            if at >= 0 and starts[at] == starts[0] + start and starts[at] < self._index.stream.size:
                found.append(starts[at])
        return found
