"""The CSV files: this run's rows in ``csv/``, and every run's rows in ``runs/csv/``.

Must not decide columns or cells: the view does. Each row stands once over all runs, whatever crash came between.
Source: metrics.md, "CSV".
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runwatch.finalize.state import load_state
from runwatch.fold.metrics import Metrics
from runwatch.journal.atomic import DIR_MODE, FILE_MODE, write_atomic
from runwatch.journal.paths import RunPaths
from runwatch.views import csv_rows


def write_own(paths: RunPaths, metrics: Metrics) -> None:
    """Replace the run's own CSV files where their rows changed. Raises OSError."""
    paths.csv.mkdir(mode=DIR_MODE, exist_ok=True)
    for table, rows in csv_rows.tables(metrics).items():
        path = paths.csv / f"{table}.csv"
        data = csv_rows.file_text(table, rows).encode()
        if not path.exists() or path.read_bytes() != data:
            write_atomic(path, data, durable=False)


def add_to_all(paths: RunPaths, metrics: Metrics) -> None:
    """Put the run's rows into the files over all runs, in place of any it has there already. Raises OSError."""
    folder = paths.root.parent.parent / "csv"
    folder.mkdir(mode=DIR_MODE, exist_ok=True)
    with _locked(folder / ".lock"):
        for table, rows in csv_rows.tables(metrics).items():
            _put(folder / f"{table}.csv", table, rows, (paths.run_id, paths.framework))


def _put(path: Path, table: str, rows: list[csv_rows.Row], run: tuple[str, str]) -> None:
    stored = _read(path, table)
    if stored is None:  # missing, torn, or of another version: every run has its own rows
        others = [row for row in _rebuilt(path.parent.parent, table) if row[:2] != run]
        write_atomic(path, csv_rows.file_text(table, [*others, *rows]).encode())
        return
    own = [row for row in stored if row[:2] == run]
    if not own and rows:
        _append(path, csv_rows.text(rows).encode())
    elif own != [tuple(row) for row in rows]:
        write_atomic(path, csv_rows.file_text(table, [*(row for row in stored if row[:2] != run), *rows]).encode())


def _read(path: Path, table: str) -> list[csv_rows.Row] | None:
    """Return the rows of a whole file with today's columns; None for any other."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
    header = tuple(csv_rows.COLUMNS[table])
    if not text.endswith("\r\n") or not rows or rows[0] != header or any(len(row) != len(header) for row in rows):
        return None
    return rows[1:]


def _rebuilt(root: Path, table: str) -> Iterator[csv_rows.Row]:
    """Yield the rows of every finalized run, from the runs' own files."""
    for path in sorted(root.glob(f"*/*/csv/{table}.csv")):
        if not path.is_symlink() and load_state(RunPaths(path.parent.parent).finalize_state).done("reports"):
            yield from _read(path, table) or ()


def _append(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock between finalizers that end side by side. Nobody forks while it is held."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
