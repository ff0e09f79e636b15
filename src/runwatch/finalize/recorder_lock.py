"""One recorder at a time at a work tree's index.

Must not touch git's own locks. The kernel drops the lock when its holder dies, and a fork does not inherit it.
"""

from __future__ import annotations

import fcntl
import os
import random
import stat
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from runwatch.journal.atomic import FILE_MODE

NAME = "runwatch.lock"
"""In the work tree's git folder, while somebody is at work."""

_threads = threading.Lock()
"""A record lock keeps other processes away, but not other threads of this one."""


class LockHeld(Exception):
    """Another recorder has it, and went on having it."""


class RecorderLock:
    """Held in a ``with`` statement. Raises LockHeld, OSError."""

    def __init__(self, git_dir: Path, deadline: float) -> None:
        """Wait until ``deadline``, in seconds of the monotonic clock."""
        self._path = git_dir / NAME
        self._deadline = deadline
        self._fd = -1

    def __enter__(self) -> Self:
        if not _threads.acquire(timeout=max(0.0, self._deadline - time.monotonic())):
            raise LockHeld
        try:
            while not self._try():
                if time.monotonic() >= self._deadline:
                    raise LockHeld
                time.sleep(random.uniform(0.002, 0.02))
        except BaseException:
            _threads.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            os.unlink(self._path)  # while it is held: whoever waits for this file looks whether it is still the one
        except OSError:
            pass
        os.close(self._fd)
        _threads.release()

    def _try(self) -> bool:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        try:
            self._share(fd)
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(self._path)):
                self._fd = fd
                return True
        except (BlockingIOError, PermissionError, FileNotFoundError):
            pass
        os.close(fd)
        return False

    def _share(self, fd: int) -> None:
        """Let the others of a group that shares the repository take the lock, also when its maker was killed."""
        if stat.S_IMODE(os.stat(self._path.parent).st_mode) & stat.S_IWGRP and os.fstat(fd).st_uid == os.geteuid():
            os.fchmod(fd, FILE_MODE | stat.S_IRGRP | stat.S_IWGRP)
