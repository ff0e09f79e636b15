"""One CSV file over all runs: the rows of one run in it, read, added and replaced under a lock.

Must not decide columns or cells. Runs that end side by side each have every row once, whatever crash came between.
"""

from __future__ import annotations

import csv
import fcntl
import io
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runwatch.journal.atomic import write_atomic
from runwatch.journal.beneath import open_beneath, open_regular, read_regular
from runwatch.views import csv_rows
from runwatch.views.csv_rows import Row

_END = b"\r\n"
_LEFT = ".left"
"""Beside the files: how long and how old each was when runwatch wrote it last. Whoever else changed one may have lost
or doubled rows, which nothing else would show but to read the files of all runs."""
_LEFT_BYTES = 64
"""Of one file."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of all files in ``folder``. Nobody forks while it is held."""
    fd = open_beneath(folder, ".lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


class SharedTable:
    """The file of one table, as one run sees it. All calls are made under the lock; all raise OSError."""

    def __init__(self, folder: Path, table: str, run_id: str, framework: str) -> None:
        self.path = folder / f"{table}.csv"
        self._table = table
        self._run = (csv_rows.cell(run_id), csv_rows.cell(framework))
        self._left_at = list(csv_rows.COLUMNS).index(table) * _LEFT_BYTES

    def rows(self) -> list[Row] | None:
        """Return the run's rows; None where the file is missing, torn, has other columns or was changed by others."""
        if not self._is_whole() or not self._is_as_left(self.path.stat()):
            return None
        if not self._is_named():
            return []  # the usual case costs no parsing
        with self.path.open("r", encoding="utf-8", newline="") as file:
            try:
                return [tuple(row) for row in csv.reader(file) if tuple(row[:2]) == self._run]
            except (UnicodeDecodeError, csv.Error):
                return None

    def append(self, text: str) -> None:
        """Add finished rows at the end."""
        fd = open_regular(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            is_ours = self._is_as_left(os.fstat(fd))
            view = memoryview(text.encode())
            while view:
                view = view[os.write(fd, view) :]
            os.fdatasync(fd)
            if is_ours:  # else it is rebuilt when the run ends
                self._leave(os.fstat(fd))
        finally:
            os.close(fd)

    def replace(self, text: str) -> None:
        """Put finished rows in place of the run's own."""
        is_ours = self._is_as_left(self.path.stat())
        with self.path.open("r", encoding="utf-8", newline="") as file:
            others = [tuple(row) for row in csv.reader(file)][1:]
        self._write([row for row in others if row[:2] != self._run], text)
        if is_ours:
            self._leave(self.path.stat())

    def rebuild(self, text: str) -> None:
        """Make the file anew: the rows of every other run from that run's own file, then finished rows of this one.

        Rows of runs that have no file of their own any more, since they were pruned or come from a clone, stay.
        """
        there: set[Row] = set()
        others: list[Row] = []
        for run, rows in self._others():
            there |= {run, *(row[:2] for row in rows)}
            others += rows
        kept = [row for row in self._rows_of(self.path) or [] if row[:2] not in there]
        self._write([row for row in [*kept, *others] if row[:2] != self._run], text)
        self._leave(self.path.stat())

    def _write(self, others: list[Row], text: str) -> None:
        write_atomic(self.path, (csv_rows.file_text(self._table, others) + text).encode())

    def _others(self) -> Iterator[tuple[Row, list[Row]]]:
        """Yield each run (its first two cells) that has a file of its own, and the rows in that."""
        for path in sorted(self.path.parent.parent.glob(f"*/*/csv/{self.path.name}")):
            if any(map(Path.is_symlink, path.parents[:3])):
                continue
            rows = self._rows_of(path)
            if rows is not None:
                yield (csv_rows.cell(path.parents[1].name), csv_rows.cell(path.parents[2].name)), rows

    def _rows_of(self, path: Path) -> list[Row] | None:
        """Return a file's whole rows under today's columns, however damaged the rest is; None where it is not ours."""
        try:
            content = read_regular(path).decode("utf-8", "replace")
            lines = csv.reader(io.StringIO(content[: content.rfind("\r\n") + 2], newline=""))
            header, *rows = [tuple(row) for row in lines]
        except (OSError, ValueError, csv.Error):
            return None
        columns = csv_rows.COLUMNS[self._table]
        if header[:2] != columns[:2]:
            return None
        whole = (row for row in rows if len(row) == len(header))
        if header == columns:
            return list(whole)
        # Another version's: a column that it did not have is empty.
        named = (dict(zip(header, row, strict=True)) for row in whole)
        return [tuple(row.get(column, "") for column in columns) for row in named]

    def _is_whole(self) -> bool:
        header = csv_rows.file_text(self._table, ()).encode()
        try:
            fd = open_regular(self.path)
        except OSError:
            return False
        try:
            size = os.fstat(fd).st_size
            return os.pread(fd, len(header), 0) == header and os.pread(fd, 2, size - 2) == _END
        finally:
            os.close(fd)

    def _is_as_left(self, status: os.stat_result) -> bool:
        """Return whether nobody but runwatch wrote the file since runwatch did."""
        try:
            fd = open_beneath(self.path.parent, _LEFT, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return os.pread(fd, _LEFT_BYTES, self._left_at) == _left(status)
        finally:
            os.close(fd)

    def _leave(self, status: os.stat_result) -> None:
        """Note how the file is left. It is not made durable: what a crash loses costs a rebuild."""
        fd = open_beneath(self.path.parent, _LEFT, os.O_WRONLY | os.O_CREAT)
        try:
            os.pwrite(fd, _left(status), self._left_at)
        finally:
            os.close(fd)

    def _is_named(self) -> bool:
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(self._run[0].encode()) >= 0


def _left(status: os.stat_result) -> bytes:
    return f"{status.st_size} {status.st_mtime_ns}".encode().ljust(_LEFT_BYTES - 1) + b"\n"
