"""Logs of a run from a level on, as one source of rows.

Must not decide what a level is, and draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock

from runwatch.journal.log_filter import FilteredIndex
from runwatch.journal.log_levels import LevelBar
from runwatch.journal.merged_logs import MergedLogs, NamedLog
from runwatch.journal.output_index import OutputIndex


class FilteredLogs(MergedLogs):
    """A LogSource of the lines that have at least a level, with what belongs to them; the newest are found first."""

    def __init__(
        self, find_logs: Callable[[], Sequence[NamedLog]], level: str, *, lock: RLock, output: OutputIndex | None
    ) -> None:
        """``level`` is one of LEVELS; the rest as for MergedLogs, whose logs it shares."""
        super().__init__(find_logs, lock=lock, output=output)
        self._bar = LevelBar(level)
        self._filters: dict[int, FilteredIndex] = {}
        self._more = False

    @property
    def exact(self) -> bool:
        """True once every line has been looked at."""
        return all(each.exact for each in self._indexes())

    @property
    def generation(self) -> int:
        """Changes whenever a row may show something else than before."""
        return super().generation + sum(each.changes for each in self._indexes())

    def advance(self, budget_s: float) -> bool:
        """Look at the files and work in the background for about ``budget_s``; return True when more is left."""
        with self._lock:
            busy = super().advance(budget_s)
            filters = self._indexes()
            if budget_s > 0 and not busy:
                any(each.work(budget_s) for each in filters)
            self._more = not all(each.complete for each in filters)
            return busy or self._more

    def stirred(self) -> bool:
        """Tell whether ``advance`` may find something."""
        return self._more or super().stirred()

    def _indexes(self) -> list[FilteredIndex]:
        found = []
        for log in self._logs:
            each = self._filters.get(log.number)
            if each is None or each.index is not log.index:
                each = self._filters[log.number] = FilteredIndex(log.index, self._bar)
            each.follow()
            found.append(each)
        return found
