"""One process's way into the journal: what was written, what was dropped, when it is synced.

Must not build lines, and must not raise or wait: an emitting thread does one write and compares two numbers.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from runwatch.errors import RunwatchError
from runwatch.journal.append import Appender
from runwatch.sdk.clock import WallClock
from runwatch.sdk.durability import Syncer

Report = Callable[[str, str], object]
"""Told the kind of a trouble and a sentence about it."""


class JournalSink:
    """The journal as one process writes it; safe to use from threads and in signal handlers."""

    def __init__(self, journal: Path, report: Report) -> None:
        """Open the journal. Raises RecordError."""
        self._journal, self._report = journal, report
        self._appender: Appender | None = Appender(journal)
        self._begin()

    def _begin(self) -> None:
        """What every process has of its own."""
        self.closed = False
        self.since: str | None = None
        """RFC 3339 time of the first dropped event."""
        self._dropped_before = 0
        self._told = 0
        self._lock = threading.RLock()
        self._syncer = Syncer(self._sync)

    def write(self, line: bytes) -> bool:
        """Append one line; True when it is in the file."""
        appender = self._appender
        if appender is None:
            return self._without_appender(line)
        if not appender.append(line):
            return self._failed(line, appender)
        if appender.unsynced >= self._syncer.due:
            self._syncer.wake(appender.unsynced)
        return True

    def hurry(self) -> None:
        """Have what was written synced at once, off this thread."""
        self._syncer.hurry()

    @property
    def dropped(self) -> int:
        """Events of this process that could not be written."""
        appender = self._appender
        return self._dropped_before + (appender.dropped if appender is not None else 0)

    @property
    def untold(self) -> int:
        """Dropped events that no event tells of yet."""
        return self.dropped - self._told

    def tell(self) -> int:
        """Return how many events were dropped, and take them for told."""
        with self._lock:
            self._told = self.dropped
            return self._told

    def close(self) -> None:
        """Sync and close; a second call does nothing."""
        if self.closed:
            return
        self.closed = True
        self._syncer.stop()
        appender, self._appender = self._appender, None
        if appender is not None:
            self._dropped_before += appender.dropped
            appender.close()

    def before_fork(self) -> None:
        """Be one thread less: a fork beside threads is what newer Pythons warn of."""
        self._syncer.stop()

    def after_fork(self) -> None:
        """In a forked child: no descriptor of the parent's, locks that nobody holds. The journal opens when needed."""
        closed, self._appender = self.closed, None
        self._begin()
        self.closed = closed

    def _without_appender(self, line: bytes) -> bool:
        if self.closed:
            self._report("after-end", "events after the end of the run are not recorded.")
            return False
        return self._reopen() and self.write(line)

    def _failed(self, line: bytes, appender: Appender) -> bool:
        """Take note of a dropped event, once aloud; try again where somebody closed our descriptor."""
        if self.closed:
            return self._without_appender(line)
        if self._is_lost(appender):
            with self._lock:
                if self._appender is appender:
                    self._dropped_before += appender.dropped - 1
                    return self._reopen() and self.write(line)
        if self.since is None:
            self.since = WallClock().text()
        reason = appender.last_error or "unknown error"
        self._report(
            "dropped", f"the journal cannot be written ({reason}): events are dropped and counted, the program goes on."
        )
        return False

    def _reopen(self) -> bool:
        with self._lock:
            try:
                self._appender = Appender(self._journal)
            except RunwatchError as error:
                self._appender = None
                self._dropped_before += 1
                self.since = self.since or WallClock().text()
                self._report("reopen", error.sentence)
                return False
            return True

    def _is_lost(self, appender: Appender) -> bool:
        """Whether the descriptor is closed or another file's by now: a program may close all that it does not know."""
        try:
            mine, there = os.fstat(appender.fileno()), os.stat(self._journal)
        except OSError as error:
            return error.errno == errno.EBADF
        return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)

    def _sync(self) -> None:
        appender = self._appender
        if appender is not None:
            appender.sync()
