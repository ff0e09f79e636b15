"""Appending to the journal: one write a line, its result checked.

Must not build or interpret events, never raise into the program that emits, and never write into another file: before
each line the descriptor is proved to be the journal still, since a program may close all that it does not know.
A line that was acknowledged stands before the seal, whatever its writer and the finalizer did at the same moment: the
finalizer takes the file's write permission away, waits for ``CLOSING_S``, and only then seals; a writer that has not
seen that permission within the last ``LOOK_S`` seconds looks for it *after* its write, before it acknowledges.
Source: record.md, "The journal".
"""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path

from runwatch.errors import RecordError
from runwatch.journal.atomic import FILE_MODE
from runwatch.journal.beneath import open_regular
from runwatch.journal.descriptors import above_standard, close_own, identity
from runwatch.journal.held import path_of

CLOSED_MODE = 0o400
"""Of a journal that takes no more events."""
LOOK_S = 0.02
"""For so long a writer trusts what it saw of the journal's mode: a look at each line would cost a quarter of it."""
CLOSING_S = 0.05
"""From closing a journal to its seal."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Appender:
    """An ``O_APPEND`` descriptor on a journal; safe to use from threads and beside other processes."""

    def __init__(self, path: Path | str, *, sealing: bool = False) -> None:
        """Open ``path``, creating it with mode 0600. Raises RecordError when that cannot be done.

        ``sealing``: for the finalizer, whose lines count in a closed journal too.
        """
        self._sealing = sealing
        self._looked = float("-inf")
        try:
            self._fd = above_standard(_open_closed(path) if sealing else open_regular(path, _FLAGS))
        except OSError as error:
            raise RecordError(f"The journal {path} cannot be opened ({error.strerror}): check the folder.") from error
        self._file = identity(self._fd)
        self._torn = not _ends_with_line_feed(path)
        self.dropped = 0
        """Lines that could not be written."""
        self.unsynced = 0
        """Lines written since the last sync."""
        self.last_error: str | None = None
        """Why the last line was dropped."""
        self.last_errno: int | None = None
        """The system's number of it, where it has one."""
        self.moved = False
        """Whether the last line was dropped because the descriptor is no more that of a file in the run."""
        self.late = 0
        """Lines written after the journal was closed: they are in the file, and not acknowledged."""

    def append(self, line: bytes) -> bool:
        """Write one line (line feed included) with a single write; True when all of it is in the file, before the seal.

        After a short write the next one begins with a line feed, so that it stands on a line of its own.
        """
        data = b"\n" + line if self._torn else line
        try:
            state = os.fstat(self._fd)
            self.moved = (state.st_dev, state.st_ino) != self._file or not state.st_nlink
            if (state.st_dev, state.st_ino) != self._file:
                raise OSError(errno.EBADF, "its descriptor is another file's by now")
            if not state.st_nlink:
                raise OSError(0, "it was deleted")
            written = os.write(self._fd, data)
        except OSError as error:
            self.dropped += 1
            self.last_error, self.last_errno = error.strerror or str(error), error.errno
            return False
        if written != len(data):
            self._torn = True
            self.dropped += 1
            self.last_error, self.last_errno = "no room for a whole line", errno.ENOSPC
            return False
        self._torn = False
        self.unsynced += 1
        now = time.monotonic()
        return now - self._looked < LOOK_S or self._sealing or self._takes_lines(now)

    def _takes_lines(self, now: float) -> bool:
        """Look whether what was just written counts; ``now`` lies between the write and this look."""
        try:
            state = os.fstat(self._fd)
        except OSError as error:
            self.dropped += 1
            self.last_error = error.strerror or str(error)
            return False
        if not state.st_nlink:
            self.moved = True
            self.dropped += 1
            self.last_error = "it was deleted"
        elif not state.st_mode & _WRITABLE:
            self.late += 1
            self.last_error = "its mode lets nobody write"
        else:
            self._looked = now
            return True
        return False

    def sync(self) -> bool:
        """Make what was written survive a power cut; False when the disk refuses.

        Blocks on the disk: never on an emitting thread.
        """
        if self.unsynced:
            self.unsynced = 0
            try:
                if self._fd >= 0 and identity(self._fd) != self._file:
                    raise OSError(errno.EBADF, "its descriptor is another file's by now")
                os.fdatasync(self._fd)
            except OSError as error:
                self.last_error = error.strerror or str(error)
                return self._fd < 0  # closed meanwhile, synced before that
        return True

    def where(self) -> Path | None:
        """Return the path that the journal has now; None where it has none any more, or nobody can know."""
        return path_of(self._fd, self._file) if self._file is not None else None

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._fd

    def close(self) -> None:
        """Close the descriptor, unless it is somebody else's by now; a second call does nothing."""
        fd, self._fd = self._fd, -1  # first: another thread must not write to a number that is free again
        if fd >= 0:
            close_own(fd, self._file)


def close_to_writers(path: Path | str) -> None:
    """Have no line acknowledged any more but the finalizer's own; return when that is so. Raises OSError.

    What stands in the journal then and was acknowledged may be sealed; lines that come later are never acknowledged.
    """
    _set_mode(path, CLOSED_MODE)
    time.sleep(CLOSING_S)


def _open_closed(path: Path | str) -> int:
    """Open a journal for its finalizer, which may come after one that was killed between closing and sealing."""
    try:
        return open_regular(path, _FLAGS)
    except PermissionError:
        _set_mode(path, FILE_MODE)
    try:
        return open_regular(path, _FLAGS)
    finally:
        _set_mode(path, CLOSED_MODE)


def _set_mode(path: Path | str, mode: int) -> None:
    """Change the mode of the journal itself: a link in its place would lead to somebody else's file."""
    fd = open_regular(path)
    try:
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def _ends_with_line_feed(path: Path | str) -> bool:
    """Whether the file is empty or its last line is finished (a writer may have been killed in the middle)."""
    try:
        with open(open_regular(path), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                return True
            file.seek(size - 1)
            return file.read(1) == b"\n"
    except OSError:
        return True
