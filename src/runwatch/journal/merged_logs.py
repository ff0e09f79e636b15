"""Logs of a run as one source of rows: polled, indexed, merged and parsed where they are drawn.

Must not decide which logs there are, and draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock

from runwatch.journal import log_merge
from runwatch.journal.log_cursor import Place
from runwatch.journal.log_filter import FilteredIndex
from runwatch.journal.log_hits import Errors, HitCounter, Matcher
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_lines import is_folded, parse_line
from runwatch.journal.log_record import Record, read_record
from runwatch.journal.log_search import LogSearch
from runwatch.journal.log_source import LineKey, Row
from runwatch.journal.log_tail import LogTail
from runwatch.journal.log_window import read_line
from runwatch.journal.output_index import OutputIndex

_ERRORS_FROM_END_BYTES = 64 << 20
_CACHED_ROWS = 2000
_HOLE = b"\0" * 16


@dataclass
class NamedLog:
    """One log among those of a run."""

    number: int
    """Unique within the run, the same for as long as the run is watched."""
    component: str
    """Who writes it."""
    index: LogIndex
    """Its lines."""
    errors: HitCounter = field(init=False)
    """Its lines of level ERROR and above."""

    def __post_init__(self) -> None:
        self.errors = HitCounter(self.index, Errors())

    def poll(self) -> bool:
        """Look at its files; the first time, leave all but the last 64 MiB uncounted for errors."""
        before = self.index.stream.size
        if not self.index.poll():
            return False
        size = self.index.stream.size
        if before == 0 and size > _ERRORS_FROM_END_BYTES:
            self.errors = HitCounter(self.index, Errors(), first=size - _ERRORS_FROM_END_BYTES)
        return True


class MergedLogs:
    """A LogSource over any number of logs. Its lock is shared with all sources of the same run."""

    def __init__(
        self,
        find_logs: Callable[[], Sequence[NamedLog]],
        *,
        lock: RLock | None = None,
        output: OutputIndex | None = None,
    ) -> None:
        """``find_logs`` is asked again before every look at the files: another list means that logs came or went."""
        self._find_logs = find_logs
        self._lock = lock or RLock()
        self._output = output
        self._found: Sequence[NamedLog] = ()
        self._logs: list[NamedLog] = []
        self._members = 0
        self._busy = False
        self._rows: dict[LineKey, Row] = {}

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the logs, in the order of ties."""
        return tuple(dict.fromkeys(log.component for log in self._logs))

    @property
    def row_count(self) -> int:
        """Rows known now; an estimate while ``exact`` is False."""
        return log_merge.row_total(self._indexes())

    @property
    def line_count(self) -> int:
        """Lines of the logs, whether or not they are rows here."""
        return sum(log.index.row_count for log in self._logs)

    @property
    def exact(self) -> bool:
        """True once every line has been counted."""
        return all(log.index.exact for log in self._logs)

    @property
    def errors(self) -> int:
        """Lines of level ERROR and above found so far; of more than 64 MiB that were there before, the last ones."""
        return sum(log.errors.total for log in self._logs)

    @property
    def generation(self) -> int:
        """Changes whenever a row may show something else than before."""
        return sum(log.index.generation for log in self._logs) + (self._members << 40)

    def advance(self, budget_s: float) -> bool:
        """Look at the files and work in the background for about ``budget_s``; return True when more is left."""
        with self._lock:
            changed = self._refresh()
            for log in self._logs:
                changed |= log.poll()
            waiting = self._read_output()
            if changed or self._busy:
                self._busy = self._work(budget_s) if budget_s > 0 else True
            return waiting or self._busy

    def stirred(self) -> bool:
        """Tell whether ``advance`` may find something: of logs at rest one look at each file, and no more."""
        with self._lock:
            if self._busy or self._find_logs() is not self._found:
                return True
            if self._output is not None and self._output.stirred():
                return True
            return any(log.index.stream.stirred() for log in self._logs)

    def _work(self, budget_s: float) -> bool:
        for log in self._logs:
            if not log.index.exact:
                log.index.work(budget_s)
                return True
        return any(not log.errors.complete and log.errors.advance(budget_s) for log in self._logs)

    def rows(self, start: int, count: int) -> list[Row]:
        """Return up to ``count`` rows from ``start`` on; fewer at the end."""
        with self._lock:
            indexes = self._indexes()
            from_end = self.row_count - start
            for _ in range(8):
                generation = self.generation
                if from_end <= count and not self.exact:  # the end stays the end when estimates become numbers
                    for index in indexes:
                        index.count_tail(from_end)
                    start = max(self.row_count - from_end, 0)
                found = log_merge.places(indexes, start, count)
                if generation == self.generation:
                    break
            return [self._row(place) for place in found]

    def record(self, key: LineKey) -> Record | None:
        """Return the whole record that a line belongs to; None when it is gone."""
        with self._lock:
            position = self._position(key)
            return None if position is None else read_record(self._logs[position].index, key.offset)

    def row_of(self, key: LineKey) -> int | None:
        """Return the row at which a line stands now; None when it is gone."""
        with self._lock:
            position = self._position(key)
            return None if position is None else log_merge.row_of(self._indexes(), position, key.offset)

    def _position(self, key: LineKey) -> int | None:
        for position, log in enumerate(self._logs):
            if log.number == key.log:
                there = log.index.epoch == key.epoch and key.offset < log.index.stream.size
                return position if there else None
        return None

    def row_at_time(self, time: float) -> int:
        """Return the first row whose time is not before ``time``, in seconds since the epoch."""
        with self._lock:
            return sum(log_merge.cut_at_time(self._indexes(), time))

    def search(self, matcher: Matcher) -> LogSearch:
        """Begin a search over the logs as they are; call its methods between ``advance`` and ``rows``."""
        return LogSearch(self._indexes, matcher, self._lock)

    def tail(self, since: float | None = None) -> LogTail:
        """Return the lines one after the other, each once, from a time (seconds since the epoch) or from the first."""
        return LogTail(lambda: [log.index for log in self._logs], self._row, self._lock, since)

    def notices(self) -> list[str]:
        """Return, once, what happened to the files since the last call: one sentence each."""
        with self._lock:
            return [notice for log in self._logs for notice in log.index.stream.notices()]

    def from_level(self, level: str) -> MergedLogs:
        """Return the same logs without the lines below a level, one of LEVELS."""
        from runwatch.journal.filtered_logs import FilteredLogs

        return FilteredLogs(self._find_logs, level, lock=self._lock, output=self._output)

    def _indexes(self) -> Sequence[LogIndex | FilteredIndex]:
        return [log.index for log in self._logs]

    def _refresh(self) -> bool:
        found = self._find_logs()
        if found is self._found:
            return False
        self._found = found
        self._logs = sorted(found, key=lambda log: log.number)
        self._members += 1
        return True

    def _read_output(self) -> bool:
        if self._output is None:
            return False
        was_whole = self._output.whole
        waiting = self._output.advance()
        if self._output.whole and not was_whole:
            for log in self._logs:
                log.index.retime()
            self._rows.clear()
        return waiting

    def _row(self, place: Place) -> Row:
        log = self._logs[place.log]
        key = LineKey(log.number, log.index.epoch, place.offset)
        known = self._rows.get(key)
        if known is not None:
            return known
        raw, size, whole = read_line(log.index, place.offset, place.end)
        folded = is_folded(raw, size, whole=whole)
        if raw.startswith(_HOLE):
            raw = raw.lstrip(b"\0")
        rule = log.index.rule
        arrivals = rule.arrivals
        arrived = rule.base if arrivals is None else arrivals.time_of(place.offset)
        line = parse_line(raw, near=arrived, whole=whole)
        time = line.time
        if time is None and arrivals is not None and arrivals is rule.recorded:
            time = arrived
        row = Row(key, log.component, time, line, size, folded)
        if place.end is not None:  # finished: it stays as it is
            if len(self._rows) >= _CACHED_ROWS:
                self._rows.clear()
            self._rows[key] = row
        return row
