"""Making a live run survive a power cut: the journal, whoever wrote to it, and the logs, within the stated window.

Must not be in anybody's way: two threads sync, one the journal, one the logs, and sleep while nothing is written.
Source: record.md, "The journal"; the window is told in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from runwatch.journal.atomic import sync_directory
from runwatch.journal.paths import RunPaths

WINDOW_S = 0.75
"""What was read waits at most so long for its sync: with the recorder's tick, a second from the write."""
SHARE = 0.1
"""Syncing logs takes at most this share of the time: on a slow disk the window of the logs grows, not the load."""
STATUS = (b'{"type":"run.', b'{"type":"step.completed"', b'{"type":"issue.completed"', b'{"type":"status.')
"""Beginnings of lines that are synced at once: changes of status."""


class Durability:
    """The syncing of one run. ``note`` is called for what the recorder read."""

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths
        self._seen: dict[str, tuple[int, int]] = {}
        """Log to its size and modification time when it was synced."""
        self._named = False
        """Whether the folders that lead to the run are synced."""
        self._secrets: tuple[int, int] | None = None
        """Inode and length of what the run remembers of secrets when that was synced."""
        self._journal = _Worker("sync-journal", self._sync_journal, share=1.0)
        self._logs = _Worker("sync-logs", self._sync_logs, share=SHARE)

    def note(self, lines: list[bytes]) -> None:
        """Have lines of the journal synced in time, and with them the logs that were written beside it."""
        self._journal.wake(at_once=any(line.startswith(STATUS) for line in lines))
        self._logs.wake()

    def note_output(self) -> None:
        """Have logs synced in time: the command printed something."""
        self._logs.wake()

    def close(self) -> None:
        """End both threads; what they left is synced by the finalizer."""
        self._journal.stop()
        self._logs.stop()

    def _sync_secrets(self) -> None:
        """Sync what is remembered of secrets before what may hold them: no power cut leaves the text alone."""
        try:
            found = os.lstat(self._paths.secrets)
        except OSError:
            return
        now = found.st_ino, found.st_size
        before = self._secrets
        if now != before and _sync(self._paths.secrets):
            if before is None or before[0] != now[0]:
                sync_directory(self._paths.root)
            self._secrets = now

    def _sync_journal(self) -> None:
        self._sync_secrets()
        _sync(self._paths.journal)
        if not self._named:
            self._named = True
            for folder in (self._paths.root, *list(self._paths.root.parents)[:3]):
                sync_directory(folder)

    def _sync_logs(self) -> None:
        self._sync_secrets()
        folders = set()
        for folder, _, names in os.walk(self._paths.logs):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    found = os.lstat(path)
                except OSError:
                    continue
                now = (found.st_size, found.st_mtime_ns)
                if self._seen.get(path) == now:
                    continue
                if path not in self._seen:
                    folders.add(Path(folder))
                if _sync(path):
                    self._seen[path] = now
        for new in folders:  # a file that is new needs its name on the disk too
            sync_directory(new)
            sync_directory(new.parent)


class _Worker:
    """A thread that calls ``work`` some time after it was woken, and sleeps while nobody wakes it."""

    def __init__(self, name: str, work: Callable[[], None], *, share: float) -> None:
        self._work, self._share = work, share
        self._due = threading.Event()
        self._hurry = threading.Event()
        self._stopping = False
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        with contextlib.suppress(RuntimeError):  # no thread is to be had: the finalizer syncs, a power cut costs more
            thread.start()

    def wake(self, *, at_once: bool = False) -> None:
        """Have the work done within the window, or at once."""
        if at_once:
            self._hurry.set()
        self._due.set()

    def stop(self) -> None:
        """End the thread after the work at hand."""
        self._stopping = True
        self.wake(at_once=True)

    def _run(self) -> None:
        pause = WINDOW_S
        while True:
            self._due.wait()
            self._hurry.wait(pause)
            if self._stopping:
                return
            self._due.clear()
            self._hurry.clear()
            began = time.monotonic()
            try:
                self._work()
            except OSError:
                pass  # a disk that is full or gone: writers notice, and count
            pause = max(WINDOW_S, (time.monotonic() - began) / self._share)


def _sync(path: Path | str) -> bool:
    """Sync one file; False where that cannot be done."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.fdatasync(fd)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
