"""One log's lines in the order of the file, each with the time it counts with, for those who merge them as they come.

Must not wait or merge. A feed is used between two polls; its place stays right when the log has grown.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_times import WINDOW_S


class Pending(NamedTuple):
    """A line that was taken from its log; in the order in which lines are given."""

    time: float
    """The effective time by which it is ordered."""
    rank: int
    """Which feed it comes from: the order of ties."""
    offset: int
    """Where it begins."""
    end: int
    """Where the next line of the log begins; 0 where that lies in another block."""


class LogFeed:
    """A place in one log that only moves forward."""

    def __init__(self, index: LogIndex, rank: int, since: float | None) -> None:
        """Begin at the lines of a time (seconds since the epoch), or at the first."""
        self.index = index
        self.rank = rank
        """Its place among the feeds: the order of ties."""
        self.epoch = index.epoch
        self.ripe = 0
        """Lines in front of this offset have waited long enough."""
        self.ripening = 0
        """Lines in front of this offset were there at the last look."""
        self.offset = 0
        """Where the next line begins; the end when there is none."""
        self.bound: tuple[float, int, int] | None = None
        """What no further line comes before; None when there is none."""
        self._since = -inf if since is None else since
        self._number = 0 if since is None else max(index.block_after(since) - 1, 0)
        self._at = 0
        self._top = -inf
        self._stop = 0

    def go_on(self, stop: int) -> None:
        """Learn what the log holds now: lines in front of ``stop`` may be taken."""
        self._stop = stop
        self._block = self.index.block(self._number)
        self._look()

    def take(self) -> Pending | None:
        """Return the next line, or None for one that is too early."""
        block, at = self._block, self._at
        time = block.times[at]
        end = block.starts[at + 1] if at + 1 < len(block.starts) else 0
        line = Pending(time, self.rank, block.starts[at], end)
        self._top = max(self._top, min(time, block.bounds.closes))
        self._at += 1
        self._look()
        return line if time >= self._since else None

    def _look(self) -> None:
        while self._at >= self._block.lines and self._number + 1 < len(self.index.table):
            self._number += 1
            self._at, self._top = 0, -inf
            self._block = self.index.block(self._number)
        block = self._block
        self.offset = block.starts[self._at] if self._at < block.lines else self._stop
        if self.offset >= self._stop:
            self.offset, self.bound = self._stop, None
            return
        bounds = block.bounds
        slack = 0.0 if self.index.keeps_file_order else WINDOW_S
        earliest = max(bounds.earliest, max(bounds.opens, self._top) - slack)
        self.bound = (earliest, self.rank, self.offset)
