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
from runwatch.journal.losses import Loss, LossAccount
from runwatch.journal.reserve import FULL
from runwatch.sdk.durability import Syncer

Report = Callable[[str, str], object]
"""Told the kind of a trouble and a sentence about it."""
LOST = "lost"
"""The kind of trouble when something cannot be recorded, an event or a log line: said once."""


class JournalSink:
    """The journal as one process writes it; safe to use from threads and in signal handlers."""

    def __init__(self, journal: Path, report: Report, losses: LossAccount) -> None:
        """Open the journal. ``losses`` counts what does not get there. Raises RecordError."""
        self._journal, self._report = journal, report
        self._appender: Appender | None = Appender(journal)
        self._first: bytes | None = None
        """The run's first line, until there is room for it: no other is written before."""
        self._begin(losses)

    def _begin(self, losses: LossAccount) -> None:
        """What every process has of its own."""
        self.closed = False
        self.losses = losses
        self.told: Loss | None = None
        """What an event has told of the losses."""
        self._lock = threading.RLock()
        self._syncer = Syncer(self._sync)

    def begin_with(self, line: bytes) -> bool:
        """Write the run's first line, now or as soon as there is room for it; True when it is in the file."""
        self._first = line
        return self._appender is not None and self._write_first(self._appender)

    def write(self, line: bytes, *, counted: bool = True) -> bool:
        """Append one line; True when it is in the file. One that is not is a lost event where it is ``counted``."""
        appender = self._appender
        if appender is None:
            return self._without_appender(line, counted=counted)
        if (self._first is not None and not self._write_first(appender)) or not appender.append(line):
            return self._failed(line, appender, counted=counted)
        if appender.unsynced >= self._syncer.due:
            self._syncer.wake(appender.unsynced)
        return True

    def _write_first(self, appender: Appender) -> bool:
        with self._lock:
            line = self._first
            if line is not None and appender.append(line):
                self._first = None
            return self._first is None

    def hurry(self) -> None:
        """Have what was written synced at once, off this thread."""
        self._syncer.hurry()

    def where(self) -> Path | None:
        """Return where the journal lies now, and go on there: folders above it may have been renamed. None: unknown."""
        appender = self._appender
        place = None if appender is None else appender.where()
        self._journal = place or self._journal
        return place

    @property
    def untold(self) -> Loss | None:
        """What was lost, where no event tells of it yet."""
        if not self.losses.since_s:
            return None
        loss = self.losses.loss()
        return None if loss == self.told else loss

    def close(self) -> None:
        """Sync and close; a second call does nothing."""
        if self.closed:
            return
        self.closed = True
        self._syncer.stop()
        appender, self._appender = self._appender, None
        if appender is not None:
            if self._first is not None and not self._write_first(appender):
                self.losses.add(events=1)
            appender.close()

    def before_fork(self) -> None:
        """Be one thread less: a fork beside threads is what newer Pythons warn of."""
        self._syncer.stop()

    def after_fork(self, losses: LossAccount) -> None:
        """In a forked child: no descriptor of the parent's, locks that nobody holds. The journal opens when needed."""
        closed, self._appender, self._first = self.closed, None, None
        self._begin(losses)
        self.closed = closed

    def _without_appender(self, line: bytes, *, counted: bool) -> bool:
        if self.closed:
            self._report("after-end", "events after the end of the run are not recorded.")
            return False
        return self._reopen(counted=counted) and self.write(line, counted=counted)

    def _failed(self, line: bytes, appender: Appender, *, counted: bool) -> bool:
        """Take note of a dropped event, once aloud; try again where somebody closed our descriptor."""
        if self.closed:
            return self._without_appender(line, counted=counted)
        if appender.late:
            self._report("after-end", "the run has been finalized: events after its end do not count.")
            return False
        if appender.last_errno not in FULL and self._is_lost(appender):
            with self._lock:
                if self._appender is appender:
                    return self._reopen(counted=counted) and self.write(line, counted=counted)
        if counted:
            self.losses.add(events=1)
        self._report(LOST, cannot_write(appender.last_error or "unknown error"))
        return False

    def _reopen(self, *, counted: bool) -> bool:
        with self._lock:
            try:
                self._appender = Appender(self._journal)
            except RunwatchError as error:
                self._appender = None
                if counted:
                    self.losses.add(events=1)
                self._report(LOST, f"{error.sentence} What is lost is counted, and the program goes on.")
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
        if appender is None or appender.sync():
            return
        if self._is_lost(appender):
            with self._lock:
                if self._appender is appender and not self.closed:
                    self._reopen(counted=False)
            again = self._appender
            if again is None:
                return
            again.unsynced += 1  # what was written through the lost descriptor is in the same file
            if again.sync():
                return
        if not self.closed:
            self._report("sync", f"the journal is not safe from a power cut ({appender.last_error}).")


def cannot_write(reason: str) -> str:
    """Return what is said once when something cannot be recorded."""
    return f"the run cannot be written ({reason}): what is lost is counted, and the program goes on."
