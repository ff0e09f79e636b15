"""Looking through merged logs: hits counted in slices, and the next one from anywhere, nearest first.

Must not block: every call ends within about its budget and can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from threading import RLock
from time import perf_counter

from runwatch.journal import log_merge
from runwatch.journal.log_hits import HitCounter, Matcher
from runwatch.journal.log_index import LogIndex

_UNDER_WAY = -1


class LogSearch:
    """One search over several logs, which may come and go."""

    def __init__(self, find_logs: Callable[[], Sequence[LogIndex]], matcher: Matcher, lock: RLock) -> None:
        """``find_logs`` gives the logs in the order of ties; ``lock`` guards them."""
        self.matcher = matcher
        self._find_logs = find_logs
        self._lock = lock
        self._logs: list[LogIndex] = []
        self._counters: list[HitCounter] = []
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
            self._counters = [known.get(id(log)) or HitCounter(log, self.matcher) for log in logs]
            self._logs = logs

    def _forward(self, cut: Sequence[int]) -> Iterator[int | None]:
        ahead = [
            (self._opens(log, number), position, number)
            for position, log in enumerate(self._logs)
            for number in [log.table.find(cut[position])[0] if cut[position] < log.row_count else len(log.table)]
            if number < len(log.table)
        ]
        heapify(ahead)
        best: tuple[float, int, int] | None = None
        while ahead and (best is None or ahead[0][:2] <= best[:2]):
            _, position, number = heappop(ahead)
            log = self._logs[position]
            hits = self._counters[position].in_block(number)
            hit = next((offset for offset in hits if log.row_at(offset) >= cut[position]), None)
            if hit is not None:
                key = (log.time_at(hit), position, hit)
                best = key if best is None else min(best, key)
            elif number + 1 < len(log.table):
                heappush(ahead, (self._opens(log, number + 1), position, number + 1))
            yield _UNDER_WAY
        yield None if best is None else log_merge.row_of(self._logs, best[1], best[2])

    def _back(self, cut: Sequence[int]) -> Iterator[int | None]:
        behind = [
            (-self._closes(log, number), -position, number)
            for position, log in enumerate(self._logs)
            if cut[position] > 0
            for number in [log.table.find(cut[position] - 1)[0]]
        ]
        heapify(behind)
        best: tuple[float, int, int] | None = None
        while behind and (best is None or -behind[0][0] >= best[0]):
            _, negative, number = heappop(behind)
            position = -negative
            log = self._logs[position]
            hits = self._counters[position].in_block(number)
            hit = next((offset for offset in reversed(hits) if log.row_at(offset) < cut[position]), None)
            if hit is not None:
                key = (log.time_at(hit), position, hit)
                best = key if best is None else max(best, key)
            elif number:
                heappush(behind, (-self._closes(log, number - 1), negative, number - 1))
            yield _UNDER_WAY
        yield None if best is None else log_merge.row_of(self._logs, best[1], best[2])

    def _opens(self, log: LogIndex, number: int) -> float:
        """Return a time that no line of a block comes before."""
        return log.block_opens(number) if len(self._logs) > 1 else float(number)

    def _closes(self, log: LogIndex, number: int) -> float:
        """Return a time that no line of a block comes after."""
        return log.block_closes(number) if len(self._logs) > 1 else float(number)
