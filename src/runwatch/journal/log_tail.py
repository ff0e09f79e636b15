"""The lines of several logs one after the other, each exactly once: for pipes, which cannot take a line back.

Must not draw or choose. Lines are in the order of their times; what arrives late comes when it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from time import monotonic

from runwatch.journal import log_merge
from runwatch.journal.log_cursor import Place
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_source import Row

WINDOW_S = 0.15
"""A line waits at least this long, twice as long at most, for earlier ones from other logs."""

_Counts = dict[LogIndex, tuple[int, int]]


class LogTail:
    """A place in merged logs that only moves forward."""

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
        self._given: _Counts = {}
        self._ripe: _Counts = {}
        self._next: _Counts = {}
        self._looked_at: float | None = None

    def take(self, count: int, *, final: bool = False) -> list[Row]:
        """Return up to ``count`` lines that follow; none when nothing is ripe yet.

        ``final`` takes all there is, an unfinished line at an end included. Look at the files before (``advance``).
        """
        with self._lock:
            logs = list(self._find_logs())
            self._ripen(logs, final=final)
            start = [self._row_of(log) for log in logs]
            stop = [self._count(self._ripe, log) for log in logs]
            found = log_merge.walk(logs, start, count, stop)
            for place in found:
                log = logs[place.log]
                self._given[log] = (log.epoch, self._given[log][1] + 1)
            return [self._make_row(place) for place in found]

    def _ripen(self, logs: Sequence[LogIndex], *, final: bool) -> None:
        now = monotonic()
        counts = {log: (log.epoch, log.row_count - (log.unfinished and not final)) for log in logs}
        if final or self._looked_at is None:  # what was there before anybody asked needs no waiting
            self._ripe = self._next = counts
        elif now - self._looked_at >= WINDOW_S:
            self._ripe, self._next = self._next, counts
        else:
            return
        self._looked_at = now

    def _row_of(self, log: LogIndex) -> int:
        if self._given.get(log, (-1, 0))[0] != log.epoch:  # seen for the first time, or begun anew
            since = None if log in self._given else self._since
            self._given[log] = (log.epoch, 0 if since is None else log_merge.cut_at_time([log], since)[0])
        return self._given[log][1]

    @staticmethod
    def _count(counts: _Counts, log: LogIndex) -> int:
        epoch, count = counts.get(log, (-1, 0))
        return count if epoch == log.epoch else 0
