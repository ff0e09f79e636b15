"""Appending to the journal: one write a line, its result checked.

Must not build or interpret events, and must never raise into the program that emits.
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.errors import RecordError
from runwatch.journal.atomic import FILE_MODE
from runwatch.journal.beneath import open_regular


class Appender:
    """An ``O_APPEND`` descriptor on a journal; safe to use from threads and beside other processes."""

    def __init__(self, path: Path | str) -> None:
        """Open ``path``, creating it with mode 0600. Raises RecordError when that cannot be done."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd = os.open(path, flags, FILE_MODE)
        except OSError as error:
            raise RecordError(f"The journal {path} cannot be opened ({error.strerror}): check the folder.") from None
        self._torn = not _ends_with_line_feed(path)
        self.dropped = 0
        """Lines that could not be written."""
        self.unsynced = 0
        """Lines written since the last sync."""
        self.last_error: str | None = None
        """Why the last line was dropped."""

    def append(self, line: bytes) -> bool:
        """Write one line (line feed included) with a single write; True when all of it is in the file.

        After a short write the next one begins with a line feed, so that it stands on a line of its own.
        """
        data = b"\n" + line if self._torn else line
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self.dropped += 1
            self.last_error = error.strerror or str(error)
            return False
        if written != len(data):
            self._torn = True
            self.dropped += 1
            self.last_error = "short write"
            return False
        self._torn = False
        self.unsynced += 1
        return True

    def sync(self) -> None:
        """Make what was written survive a power cut. Blocks on the disk: never on an emitting thread."""
        if self.unsynced:
            self.unsynced = 0
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self.last_error = error.strerror or str(error)

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._fd

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        fd, self._fd = self._fd, -1  # first: another thread must not write to a number that is free again
        if fd >= 0:
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
