"""The lines of several logs one after the other, each exactly once: for pipes, which cannot take a line back.

Must not draw or choose. Lines are in the order of their times; what arrives later than the window comes when it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from threading import RLock
from time import monotonic

from runwatch.journal.log_cursor import Place
from runwatch.journal.log_feed import LogFeed, Pending
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_source import Row
from runwatch.journal.log_times import WINDOW_S


class LogTail:
    """A place in merged logs that only moves forward; holds no more lines than stand within the window."""

    def __init__(
        self,
        find_logs: Callable[[], Sequence[LogIndex]],
        make_row: Callable[[Place], Row],
        lock: RLock,
        since: float | None,
    ) -> None:
        """Begin at the lines of a time (seconds since the epoch), or at the first; ``lock`` guards the logs."""
        self._find_logs = find_logs
        self._make_row = make_row
        self._lock = lock
        self._since = since
        self._feeds: dict[LogIndex, LogFeed] = {}
        self._count = 0
        self._pending: list[Pending] = []
        self._looked_at: float | None = None

    def take(self, count: int, *, final: bool = False) -> list[Row]:
        """Return up to ``count`` lines that follow; none when nothing is ripe yet.

        A line waits for one to two windows: earlier ones may come meanwhile, from its own log or from others.
        ``final`` takes all there is, an unfinished line at an end included. Look at the files before (``advance``).
        """
        with self._lock:
            logs = list(self._find_logs())
            feeds = {feed.rank: feed for feed in map(self._feed, logs)}
            self._ripen(feeds.values(), final=final)
            position = {self._feeds[log].rank: number for number, log in enumerate(logs)}
            self._pending = [line for line in self._pending if line.rank in position]
            heapify(self._pending)
            found = [
                Place(line.time, position[line.rank], line.offset, line.end or None)
                for line in self._in_order(feeds, count)
            ]
            return [self._make_row(place) for place in found]

    def _feed(self, log: LogIndex) -> LogFeed:
        feed = self._feeds.get(log)
        if feed is None or feed.epoch != log.epoch:  # seen for the first time, or begun anew
            feed = self._feeds[log] = LogFeed(log, self._count, None if feed else self._since)
            self._count += 1
        return feed

    def _ripen(self, feeds: Iterable[LogFeed], *, final: bool) -> None:
        now = monotonic()
        at_once = final or self._looked_at is None  # what was there before anybody asked needs no waiting
        due = at_once or now - (self._looked_at or 0.0) >= WINDOW_S
        for feed in feeds:
            stop = feed.index.stream.size if final else feed.index.finished_bytes
            feed.go_on(stop)
            if due:
                feed.ripe, feed.ripening = stop if at_once else feed.ripening, stop
        if due:
            self._looked_at = now

    def _in_order(self, feeds: dict[int, LogFeed], count: int) -> list[Pending]:
        """Take lines in the order of time for as long as a ripe one is left: no earlier one may come after it."""
        pending, found = self._pending, list[Pending]()
        bounds = [feed.bound for feed in feeds.values() if feed.bound]
        heapify(bounds)
        ripe = sum(line.offset < feeds[line.rank].ripe for line in pending)
        behind = {rank for rank, feed in feeds.items() if feed.offset < feed.ripe}
        while len(found) < count and (ripe or behind):
            while bounds and (not pending or bounds[0] <= pending[0][:3]):
                feed = feeds[heappop(bounds)[1]]
                line = feed.take()
                if line is not None:
                    ripe += line.offset < feed.ripe
                    heappush(pending, line)
                if feed.bound:
                    heappush(bounds, feed.bound)
                if feed.offset >= feed.ripe:
                    behind.discard(feed.rank)
            if not pending or not (ripe or behind):
                break
            line = heappop(pending)
            ripe -= line.offset < feeds[line.rank].ripe
            found.append(line)
        return found
