"""Appending lines to the logs of a run: one write a line, from file to file, few of them open.

Must not follow a symbolic link below the log folder, nor know what a line says. Source: record.md, "Logs".
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import OrderedDict
from pathlib import Path

from runwatch.journal.atomic import DIR_MODE, FILE_MODE
from runwatch.journal.descriptors import above_standard, close_own, identity
from runwatch.journal.paths import check_name

MAX_OPEN = 32
"""Files held open at once; the one that was not used for longest is closed first."""

_FILE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

_Key = tuple[Path, int | None, str]


class _File:
    """An open log, closed once it is neither listed nor in use, unless its descriptor is somebody else's by then."""

    __slots__ = ("fd", "identity", "listed", "torn", "users")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.identity = identity(fd)
        self.torn = False
        self.users = 0
        self.listed = True


class LogAppender:
    """The open logs of this process; safe to use from threads, and beside other processes."""

    def __init__(self, max_open: int = MAX_OPEN) -> None:
        self._max_open = max_open
        self._files: OrderedDict[_Key, _File] = OrderedDict()
        self._lock = threading.Lock()

    def append(
        self,
        logs: Path,
        step: int | None,
        component: str,
        line: bytes,
        max_bytes: int | None = None,
        *,
        in_run: bool = False,
    ) -> None:
        """Append one line, line feed included, to the log of ``component`` in ``step`` below ``logs``.

        A log that has reached ``max_bytes`` goes on in ``<component>.1.log`` …. The lock is not held while writing.
        ``in_run``: the folder is that of a run, which is not made anew where it was deleted or moved.
        Raises BadName for a component that is no file name, OSError where the line could not be written whole.
        """
        key = (logs, step, component)
        file = self._borrow(key, in_run=in_run)
        try:
            if _is_over(file, max_bytes):
                self._forget(key, file)
                self._give_back(file)
                file = self._borrow(key, max_bytes, in_run=in_run)
            # After a short write the next line begins with a line feed, so that it stands on a line of its own.
            data = b"\n" + line if file.torn else line
            file.torn = os.write(file.fd, data) != len(data)
            if file.torn:
                raise OSError(errno.ENOSPC, "No space left on device", component)
        finally:
            self._give_back(file)

    def close(self) -> None:
        """Close every file; appending opens them again."""
        with self._lock:
            files = list(self._files.items())
        for key, file in files:
            self._forget(key, file)

    def close_run(self, logs: Path) -> None:
        """Close the logs of a run that has ended; appending opens them again."""
        with self._lock:
            files = [(key, file) for key, file in self._files.items() if key[0] == logs]
        for key, file in files:
            self._forget(key, file)

    def forget_all(self) -> None:
        """Start anew in a forked child: the lock may have been held by a thread that is no more."""
        self._lock = threading.Lock()
        self._files = OrderedDict()

    def _borrow(self, key: _Key, max_bytes: int | None = None, *, in_run: bool) -> _File:
        with self._lock:
            file = self._files.get(key)
            if file is None:
                file = self._files[key] = _File(_open_log(*key, max_bytes, in_run=in_run))
                if len(self._files) > self._max_open:
                    _, oldest = self._files.popitem(last=False)
                    self._unlist(oldest)
            else:
                self._files.move_to_end(key)
            file.users += 1
            return file

    def _give_back(self, file: _File) -> None:
        with self._lock:
            file.users -= 1
            if not file.users and not file.listed:
                close_own(file.fd, file.identity)

    def _forget(self, key: _Key, file: _File) -> None:
        with self._lock:
            if self._files.get(key) is file:
                del self._files[key]
                self._unlist(file)

    @staticmethod
    def _unlist(file: _File) -> None:
        file.listed = False
        if not file.users:
            close_own(file.fd, file.identity)


def _is_over(file: _File, max_bytes: int | None) -> bool:
    """Whether the log has to be opened anew: it is full, deleted, or its descriptor the program's by now."""
    try:
        now = os.fstat(file.fd)
    except OSError:  # the program closed what it does not know
        return True
    moved = (now.st_dev, now.st_ino) != file.identity
    return moved or now.st_nlink == 0 or bool(max_bytes and now.st_size >= max_bytes)


def place(step: int | None, component: str) -> tuple[str | None, str]:
    """Return folder (below the log folder) and name without ``.log`` of a component's log in a step.

    Raises BadName. The same rule as ``RunPaths.component_log``, for log folders that belong to no run.
    """
    check_name("component", component)
    if component == "reconciliation":
        return None, component
    if step is None:
        return None, component if component in ("stdout", "stderr") else "run"
    return f"step_{step:03d}", component


def _open_log(logs: Path, step: int | None, component: str, max_bytes: int | None, *, in_run: bool) -> int:
    """Open the log that is to be written to, and the folders on the way, refusing links."""
    folder, stem = place(step, component)
    logs.mkdir(mode=DIR_MODE, parents=not in_run, exist_ok=True)
    # The log folder of a run is one that runwatch made; elsewhere it is the user's choice, and may be a link.
    at = os.open(logs, _FOLDER | (os.O_NOFOLLOW if (logs.parent / "events.jsonl").exists() else 0))
    try:
        if folder is not None:
            try:
                os.mkdir(folder, DIR_MODE, dir_fd=at)
            except FileExistsError:
                pass
            inner = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        number = 0
        while True:
            fd = os.open(f"{stem}.{number}.log" if number else f"{stem}.log", _FILE, FILE_MODE, dir_fd=at)
            fd = above_standard(fd)
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                os.close(fd)
                raise OSError(errno.EINVAL, "is no regular file", f"{stem}.log")
            if not max_bytes or found.st_size < max_bytes:
                return fd
            os.close(fd)
            number += 1
    finally:
        os.close(at)
