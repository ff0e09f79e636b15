"""The demo's task registry: an SQLite file that holds the issues, as real as any service that can be busy.

Must not record anything: whoever calls it does that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

NAME = "task_registry"
"""What it is called in the record."""


class TaskRegistry:
    """The open issues. A call does not wait for a lock: it raises ``sqlite3.OperationalError`` at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, issues: Iterable[tuple[int, str, str]]) -> None:
        """Make the file: number, title and body of each issue."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection, connection:
            connection.execute("create table issues (id integer primary key, title text, body text, status text)")
            connection.executemany("insert into issues values (?, ?, ?, 'open')", issues)

    def open_issues(self) -> list[tuple[int, str, str]]:
        """Return number, title and body of each open issue."""
        with closing(self._connect()) as connection:
            rows = connection.execute("select id, title, body from issues where status = 'open' order by id")
            return [(int(row[0]), str(row[1]), str(row[2])) for row in rows]

    def set_status(self, issue: int, status: str) -> None:
        """Change an issue's status."""
        with closing(self._connect()) as connection, connection:
            connection.execute("update issues set status = ? where id = ?", (status, issue))

    @contextmanager
    def held_by_another(self) -> Iterator[None]:
        """Hold the file's lock, as another writer would in the middle of its work."""
        with closing(self._connect()) as connection:
            connection.execute("begin exclusive")
            try:
                yield
            finally:
                connection.rollback()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=0.0)
