"""Looking through merged logs: hits counted in slices, and the next one from anywhere, nearest first.

Must not block: every call ends within about its budget and can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from math import inf
from threading import RLock
from time import perf_counter

from runwatch.journal import log_merge
from runwatch.journal.log_filter import FilteredHits, FilteredIndex
from runwatch.journal.log_hits import HitCounter, Matcher
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_order import REACH

_UNDER_WAY = -1
_NOTHING = (-inf, -1, -1)
"""Time, log and offset of no hit."""


SearchedLog = LogIndex | FilteredIndex


def _counter(log: SearchedLog, matcher: Matcher) -> HitCounter | FilteredHits:
    return FilteredHits(log, matcher) if isinstance(log, FilteredIndex) else HitCounter(log, matcher)


class LogSearch:
    """One search over several logs, which may come and go."""

    def __init__(self, find_logs: Callable[[], Sequence[SearchedLog]], matcher: Matcher, lock: RLock) -> None:
        """``find_logs`` gives the logs in the order of ties; ``lock`` guards them."""
        self.matcher = matcher
        self._find_logs = find_logs
        self._lock = lock
        self._logs: list[SearchedLog] = []
        self._counters: list[HitCounter | FilteredHits] = []
        self._looking: Iterator[int | None] | None = None
        self._seen = -1

    @property
    def hits(self) -> int:
        """Matching lines counted so far."""
        return sum(counter.total for counter in self._counters)

    @property
    def complete(self) -> bool:
        """True when every finished line was looked at."""
        return self._seen >= 0 and all(counter.complete for counter in self._counters)

    def advance(self, budget_s: float) -> bool:
        """Go on counting for about ``budget_s``; return True when more is left."""
        until = perf_counter() + budget_s
        with self._lock:
            self._refresh()
            for counter in self._counters:
                left = until - perf_counter()
                if left <= 0 or counter.advance(left):
                    return True
        return False

    def look(self, row: int, *, forward: bool) -> None:
        """Begin to look for the nearest hit behind or in front of a row; ``found`` tells the answer."""
        with self._lock:
            self._refresh()
            total = log_merge.row_total(self._logs)
            cut = log_merge.cut_at_row(self._logs, min(max(row + 1 if forward else row, 0), total))
            self._looking = self._forward(cut) if forward else self._back(cut)

    def found(self, budget_s: float) -> tuple[bool, int | None]:
        """Go on looking for about ``budget_s``; return (done, row), the row None where there is no further hit."""
        until = perf_counter() + budget_s
        with self._lock:
            for row in self._looking or ():
                if row != _UNDER_WAY:
                    self._looking = None
                    return True, row
                if perf_counter() >= until:
                    return False, None
        self._looking = None
        return True, None

    def _refresh(self) -> None:
        logs = list(self._find_logs())
        self._seen = len(logs)
        if logs != self._logs:
            known = dict(zip(map(id, self._logs), self._counters, strict=True))
            self._counters = [known.get(id(log)) or _counter(log, self.matcher) for log in logs]
            self._logs = logs

    def _forward(self, cut: Sequence[int]) -> Iterator[int | None]:
        ahead = [
            (log.order.earliest_in(number), position, number)
            for position, log in enumerate(self._logs)
            if cut[position] < log.row_count
            for number in [max(log.table.find(cut[position])[0] - REACH, 0)]
        ]
        heapify(ahead)
        best, enough = _NOTHING, dict[int, int]()
        while ahead and (best is _NOTHING or ahead[0][:2] <= best[:2]):
            _, position, number = heappop(ahead)
            log = self._logs[position]
            for hit in self._counters[position].in_block(number):
                if log.order.row_of(hit) >= cut[position]:
                    enough.setdefault(position, number + REACH)
                    key = (log.time_at(hit), position, hit)
                    best = key if best is _NOTHING else min(best, key)
            if number < min(len(log.table) - 1, enough.get(position, len(log.table))):
                heappush(ahead, (log.order.earliest_in(number + 1), position, number + 1))
            yield _UNDER_WAY
        yield None if best is _NOTHING else log_merge.row_of(self._logs, best[1], best[2])

    def _back(self, cut: Sequence[int]) -> Iterator[int | None]:
        behind = [
            (-log.order.latest_in(number), -position, -number)
            for position, log in enumerate(self._logs)
            if cut[position] > 0
            for number in [min(log.table.find(cut[position] - 1)[0] + REACH, len(log.table) - 1)]
        ]
        heapify(behind)
        best, enough = _NOTHING, dict[int, int]()
        while behind and (best is _NOTHING or -behind[0][0] >= best[0]):
            _, negative, number = heappop(behind)
            position, number = -negative, -number
            log = self._logs[position]
            for hit in self._counters[position].in_block(number):
                if log.order.row_of(hit) < cut[position]:
                    enough.setdefault(position, number - REACH)
                    best = max(best, (log.time_at(hit), position, hit))
            if number > max(0, enough.get(position, 0)):
                heappush(behind, (-log.order.latest_in(number - 1), negative, 1 - number))
            yield _UNDER_WAY
        yield None if best is _NOTHING else log_merge.row_of(self._logs, best[1], best[2])
