"""The CSV files: this run's rows in ``csv/``, and every run's rows in ``runs/csv/``, as their entities end.

Must not decide columns or cells: the view does. Each row stands once over all runs, whatever crash came between.
Source: metrics.md, "CSV".
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from runwatch.finalize.error_rows import ErrorRows
from runwatch.finalize.rows_written import MOST_NEWS, MakeRows, RowsWritten
from runwatch.finalize.shared_table import SharedTable, locked
from runwatch.fold.metrics import Metrics
from runwatch.journal.atomic import DIR_MODE, write_atomic
from runwatch.journal.beneath import open_beneath, read_regular
from runwatch.journal.paths import RunPaths
from runwatch.views import csv_rows
from runwatch.views.csv_rows import Row
from runwatch.views.facts import RecordedError

ERRORS = "errors"
_MOST_ROWS = 20_000
"""Rows of errors that are held at a time."""


class _Change(NamedTuple):
    """What comes to one table."""

    table: str
    entities: Sequence[Any]
    make: MakeRows
    written: RowsWritten
    added: list[Row] | None
    """The rows that come to those written before; None where all must be written."""

    def all(self) -> list[Row]:
        """Return all rows, up to those that come now."""
        if self.added is None:
            return self.make(self.entities)
        return self.make(self.entities[: len(self.written) + len(self.added)])


class Tables:
    """The rows of one run. For one process at a time: the recorder, then the finalizer."""

    def __init__(self, paths: RunPaths, redact: Callable[[Any], Any]) -> None:
        """``redact`` takes the secrets out of a tree of plain values."""
        self._paths = paths
        self._redact = redact
        self._folder = paths.root.parent.parent / "csv"
        self._shared = {
            table: SharedTable(self._folder, table, paths.run_id, paths.framework) for table in csv_rows.COLUMNS
        }
        self._own: dict[str, RowsWritten] = {}
        """What this process wrote of each table into the run's own files; of which none is known where it failed."""
        self._agreed: set[str] = set()
        """Tables whose file over all runs holds the rows of ``_own``, as this process left it."""
        self._common: Row = ()
        """What the rows began with that this process wrote."""
        self._errors: ErrorRows | None = None
        self._error_rows: list[Row] = []
        """Rows of errors that are in the run's own file and not yet in the one over all runs."""
        self._errors_held: list[Row] | None = None
        """Rows that the one over all runs had before this process and that no error has been found for yet; None
        before they are known."""

    def close(self) -> None:
        """Close the journal that the errors are read from."""
        if self._errors is not None:
            self._errors.close()

    def live(self, metrics: Metrics) -> None:
        """Add the rows of what has ended since. Raises OSError; what was not written is written the next time."""
        while self._write(metrics):
            pass  # there may be more

    def final(self, metrics: Metrics) -> None:
        """Bring all files to agree with the sealed journal, whatever is in them. Raises OSError."""
        self._own.clear()
        self._agreed.clear()
        if self._errors is not None:
            self._errors.close()
        self._errors = None
        self._write(metrics)
        if self._errors_held:  # more than the journal holds
            with locked(self._folder):
                self._replace_errors()

    def _write(self, metrics: Metrics) -> bool:
        """Write what came since; return whether it was only the first of it."""
        self._paths.csv.mkdir(mode=DIR_MODE, exist_ok=True)
        if self._common != (now := csv_rows.common(metrics)):
            self._common = now
            self._own.clear()
        changed = [change for change in self._changes(metrics) if change.added is None or change.added]
        for change in changed:
            self._own.pop(change.table, None)
        for change in changed:
            self._write_own(change)
        self._write_errors(metrics)
        if changed or self._error_rows or self._errors_held is None:
            self._folder.mkdir(mode=DIR_MODE, exist_ok=True)
            with locked(self._folder):
                for change in changed:
                    self._share(change)
                self._share_errors()
        for change in changed:
            written = RowsWritten() if change.added is None else change.written
            written.add(change.entities, change.all() if change.added is None else change.added)
            self._own[change.table] = written
        return any(change.added is not None and len(change.added) == MOST_NEWS for change in changed)

    def _changes(self, metrics: Metrics) -> Iterator[_Change]:
        for table, entities in csv_rows.ended(metrics).items():
            make = partial(csv_rows.rows_of, table, metrics)
            written = self._own.get(table)
            added = None if written is None else written.news(entities, make)
            yield _Change(table, entities, make, written or RowsWritten(), added)

    def _write_own(self, change: _Change) -> None:
        """Bring the run's own file to hold the rows."""
        path = self._paths.csv / f"{change.table}.csv"
        if change.added is not None and path.exists():
            _append(path, csv_rows.text(change.added).encode())
        else:
            _replace(path, csv_rows.file_text(change.table, change.all()).encode())

    def _share(self, change: _Change) -> None:
        """Bring the file over all runs to hold exactly these rows of the run."""
        shared = self._shared[change.table]
        is_agreed = change.table in self._agreed
        self._agreed.discard(change.table)
        if change.added is not None and is_agreed and shared.path.exists():
            shared.append(csv_rows.text(change.added))
            self._agreed.add(change.table)
            return
        rows = change.all()
        if (held := shared.rows()) is None:
            shared.rebuild(csv_rows.text(rows))
        else:
            there, wanted = Counter(held), Counter(rows)
            if there - wanted:  # a row has been corrected since
                shared.replace(csv_rows.text(rows))
            elif missing := wanted - there:
                shared.append(csv_rows.text(_in_order(rows, missing)))
        self._agreed.add(change.table)

    def _write_errors(self, metrics: Metrics) -> None:
        """Add the errors that came since to the run's own file; from the first, if this process has not yet."""
        path = self._paths.csv / f"{ERRORS}.csv"
        if self._errors is None or not path.exists():
            self._errors = ErrorRows(self._paths.journal)
        for errors in self._errors.new():
            if self._errors.restarted:
                self._begin_errors(path)
            rows = csv_rows.rows_of(ERRORS, metrics, self._redacted(errors))
            _append(path, csv_rows.text(rows).encode())
            self._error_rows += rows
            if len(self._error_rows) > _MOST_ROWS:
                self._folder.mkdir(mode=DIR_MODE, exist_ok=True)
                with locked(self._folder):
                    self._share_errors()
        if self._errors.restarted:
            self._begin_errors(path)

    def _begin_errors(self, path: Path) -> None:
        assert self._errors is not None
        self._errors.restarted = False
        self._error_rows = []
        self._errors_held = None
        write_atomic(path, csv_rows.file_text(ERRORS, ()).encode(), durable=False)

    def _share_errors(self) -> None:
        """Errors come in order and are never corrected: what is there is the beginning of what should be."""
        shared, rows = self._shared[ERRORS], self._error_rows
        if self._errors_held is None:
            held = shared.rows()
            if held is None:
                shared.rebuild("")
            self._errors_held = held or []
        elif not shared.path.exists():
            self._errors = None  # somebody took it away: all errors are read again
            return
        known = self._errors_held[: len(rows)]
        if known == rows[: len(known)]:
            if len(known) < len(rows):
                shared.append(csv_rows.text(rows[len(known) :]))
            self._errors_held = self._errors_held[len(known) :]
        else:
            self._replace_errors()
        self._error_rows = []

    def _replace_errors(self) -> None:
        own = read_regular(self._paths.csv / f"{ERRORS}.csv").decode()
        self._shared[ERRORS].replace(own.partition("\r\n")[2])
        self._errors_held = []

    def _redacted(self, errors: list[RecordedError]) -> list[RecordedError]:
        return msgspec.convert(self._redact(msgspec.to_builtins(errors)), list[RecordedError])


def _in_order(rows: list[Row], missing: Counter[Row]) -> list[Row]:
    """Return the missing rows in the order of ``rows``."""
    left = Counter(missing)
    found = []
    for row in rows:
        if left[row] > 0:
            left[row] -= 1
            found.append(row)
    return found


def _replace(path: Path, data: bytes) -> None:
    try:
        if read_regular(path) == data:
            return
    except OSError:
        pass  # it is not there yet
    write_atomic(path, data, durable=False)


def _append(path: Path, data: bytes) -> None:
    fd = open_beneath(path.parent, path.name, os.O_WRONLY | os.O_APPEND)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
    finally:
        os.close(fd)
