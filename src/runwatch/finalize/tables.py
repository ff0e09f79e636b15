"""The CSV files: this run's rows in ``csv/``, and every run's rows in ``runs/csv/``, as their entities end.

Must not decide columns or cells: the view does. Each row stands once over all runs, whatever crash came between.
Source: metrics.md, "CSV".
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from runwatch.finalize.error_rows import ErrorRows
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
        self._own: dict[str, list[Row]] = {}
        """What this process wrote of each table into the run's own files."""
        self._rows = csv_rows.Tables()
        self._agreed: set[str] = set()
        """Tables whose file over all runs holds the rows of ``_own``, as this process left it."""
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
        self._write(metrics)

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

    def _write(self, metrics: Metrics) -> None:
        self._paths.csv.mkdir(mode=DIR_MODE, exist_ok=True)
        tables = self._rows.rows(metrics, errors=())
        del tables[ERRORS]
        changed = [table for table, rows in tables.items() if self._own.get(table) != rows]
        # What comes to a table, None where all of it must be written; so too after a write that failed half-way.
        added = {table: _grown(self._own.pop(table, None), tables[table]) for table in changed}
        for table in changed:
            self._write_own(table, tables[table], added[table])
        self._write_errors(metrics)
        if changed or self._error_rows or self._errors_held is None:
            self._folder.mkdir(mode=DIR_MODE, exist_ok=True)
            with locked(self._folder):
                for table in changed:
                    self._share(table, tables[table], added[table])
                self._share_errors()
        self._own |= {table: tables[table] for table in changed}

    def _write_own(self, table: str, rows: list[Row], added: list[Row] | None) -> None:
        """Bring the run's own file to hold these rows, of which the last are ``added``."""
        path = self._paths.csv / f"{table}.csv"
        if added is not None and path.exists():
            _append(path, csv_rows.text(added).encode())
        else:
            _replace(path, csv_rows.file_text(table, rows).encode())

    def _share(self, table: str, rows: list[Row], added: list[Row] | None) -> None:
        """Bring the file over all runs to hold exactly these rows of the run."""
        shared = self._shared[table]
        is_agreed = table in self._agreed
        self._agreed.discard(table)
        if added is not None and is_agreed and shared.path.exists():
            shared.append(csv_rows.text(added))
        elif (held := shared.rows()) is None:
            shared.rebuild(csv_rows.text(rows))
        else:
            there, wanted = Counter(held), Counter(rows)
            if there - wanted:  # a row has been corrected since
                shared.replace(csv_rows.text(rows))
            elif missing := wanted - there:
                shared.append(csv_rows.text(_in_order(rows, missing)))
        self._agreed.add(table)

    def _write_errors(self, metrics: Metrics) -> None:
        """Add the errors that came since to the run's own file; from the first, if this process has not yet."""
        path = self._paths.csv / f"{ERRORS}.csv"
        if self._errors is None or not path.exists():
            self._errors = ErrorRows(self._paths.journal)
        for errors in self._errors.new():
            if self._errors.restarted:
                self._begin_errors(path)
            rows = csv_rows.error_rows(metrics, self._redacted(errors))
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


def _grown(before: list[Row] | None, rows: list[Row]) -> list[Row] | None:
    """Return the rows that came to those of before; None where there were none, or one was corrected."""
    return None if before is None or rows[: len(before)] != before else rows[len(before) :]


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
