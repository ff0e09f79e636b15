"""The log that one stream of the command's output fills in one step.

Must not know what it is given, or when. Its imports are the supervisor's, and pinned.
"""

from __future__ import annotations

import os

from runwatch.journal.beneath import open_beneath
from runwatch.journal.paths import RunPaths

TAIL_BYTES = 4096
LEAST_BYTES = 4096
"""A smaller size limit counts as this: a file a line would use up the disk's inodes."""


class StepLog:
    """The log of one stream in one step, going on in ``<stream>.1.log`` … past its size limit."""

    def __init__(self, paths: RunPaths, stream: str, step: int | None, max_bytes: int | None) -> None:
        self._paths, self._stream, self._step = paths, stream, step
        self._max = max(max_bytes, LEAST_BYTES) if max_bytes else None
        self._at_line_start = True
        self._number = 0
        self._fd = -1
        self.size = 0
        """Bytes in the file at hand."""
        self.name = ""
        """Path below ``logs/``."""
        self.indexed = 0.0
        """When an arrival time was last written for it."""
        self.deleted = 0
        """Bytes that were in files which somebody deleted while they were written to."""

    def share(self, data: memoryview) -> int:
        """Return how many of the bytes go to the file at hand, the next one where none do. Raises OSError.

        A line is cut in two only where it is longer than a whole file may be.
        """
        self.prepare()
        if not self._max or self.size + len(data) <= self._max:
            return len(data)
        room = self._max - self.size
        whole = bytes(data[:room]).rfind(b"\n") + 1
        if whole or not self._at_line_start or not self.size:
            return whole or room
        self._number += 1
        self._open()
        return self.share(data)

    def write(self, data: memoryview) -> int:
        """Append; return how many bytes could not be written."""
        try:
            if self._fd < 0 or (self._max and self.size >= self._max):
                self._open()
            while data:
                written = os.write(self._fd, data)
                self.size += written
                self._at_line_start = data[written - 1] == 10
                data = data[written:]
        except OSError:
            return len(data)
        return 0

    def prepare(self) -> None:
        """Open the file, anew where somebody deleted it, so that ``name`` and ``size`` are known. Raises OSError."""
        if self._fd >= 0 and not os.fstat(self._fd).st_nlink:
            self.close()
        if self._fd < 0 or (self._max and self.size >= self._max):
            self._open()

    def _open(self) -> None:
        folder = self._paths.step_logs(self._step)
        while True:
            suffix = f".{self._number}" if self._number else ""
            path = folder / f"{self._stream}{suffix}.log"
            name = str(path.relative_to(self._paths.root))
            fd = open_beneath(self._paths.root, name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            size = os.fstat(fd).st_size
            if not self._max or size < self._max:
                break
            os.close(fd)
            self._number += 1
        self.close()
        self._fd, self.size, self.indexed, self._at_line_start = fd, size, 0.0, True
        self.name = str(path.relative_to(self._paths.logs))

    def tail(self) -> bytes:
        """Return the last kilobytes of the file; empty where it cannot be read."""
        try:
            with open(open_beneath(self._paths.root, f"logs/{self.name}"), "rb") as file:
                file.seek(max(0, self.size - TAIL_BYTES))
                return file.read(TAIL_BYTES)
        except OSError:
            return b""

    def close(self) -> None:
        """Close the file; writing opens it again."""
        if self._fd >= 0:
            found = os.fstat(self._fd)
            if not found.st_nlink:
                self.deleted += found.st_size
            os.close(self._fd)
            self._fd = -1
