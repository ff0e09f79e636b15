"""Reading a journal from an offset while others append to it.

Must not decide what a line means, beyond handing it to the codec.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runwatch.events import Event, Unknown, Unreadable, decode, salvage
from runwatch.journal.beneath import open_regular

CHUNK_BYTES = 1 << 18
"""How much one call reads at the most. Its lines take three times that for a moment."""
MAX_LINE_BYTES = 64 << 20
"""A longer line is given up: it is no event, and holding it would cost the reader its memory."""


class Follower:
    """Yields the complete lines that were appended since the last call; holds back an unfinished one."""

    def __init__(self, path: Path | str, offset: int = 0) -> None:
        self.path = Path(path)
        self.offset = offset
        """Bytes that were handed out, as a position just behind a line feed."""
        self.restarted = False
        """Set when the file shrank or was replaced, and reading began again at 0; the caller clears it."""
        self._rest = b""
        self._fd = -1
        self._inode: tuple[int, int] | None = None

    def read(self, limit: int = CHUNK_BYTES) -> list[bytes]:
        """Return complete lines without their line feed; an empty list when there is nothing new or no file.

        ``offset`` is the position behind the last of them.
        """
        if not self._opened():
            return []
        position = self.offset + len(self._rest)
        data = os.pread(self._fd, limit, position)
        if not data:
            return []
        last = data.rfind(b"\n")
        if last < 0:
            self._rest += data
            if len(self._rest) > MAX_LINE_BYTES:
                self.offset += len(self._rest)
                self._rest = b""
                return [b""]
            return []
        whole = self._rest + data[: last + 1]
        self._rest = data[last + 1 :]
        self.offset += len(whole)
        return whole[:-1].split(b"\n")

    def unfinished(self) -> bytes:
        """What stands behind the last line feed: a torn line, or one that is being written."""
        return self._rest

    def close(self) -> None:
        """Close the file; reading again opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _opened(self) -> bool:
        try:
            now = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return self._fd >= 0
        same = self._inode == (now.st_dev, now.st_ino)
        if self._fd >= 0 and same and now.st_size >= self.offset + len(self._rest):
            return True
        if self._inode is not None and not (same and now.st_size >= self.offset + len(self._rest)):
            self.offset, self._rest, self.restarted = 0, b"", True
        self.close()
        try:
            self._fd = open_regular(self.path)
        except OSError:
            return False
        self._inode = (now.st_dev, now.st_ino)
        return True


def events(path: Path | str, offset: int = 0) -> Iterator[tuple[int, Event | Unknown | None]]:
    """Yield (offset behind the line, event) for every line there is now; None for one that cannot be read.

    A torn line that hides a whole one yields that one. An unfinished last line is read too when it decodes.
    """
    follower = Follower(path, offset)
    try:
        position = offset
        while lines := follower.read():
            for line in lines:
                position += len(line) + 1
                if line.strip():
                    yield position, read_line(line)
        rest = follower.unfinished()
        if rest.strip():
            yield position + len(rest), read_line(rest)
    finally:
        follower.close()


def read_line(line: bytes) -> Event | Unknown | None:
    """Return the event of a line, or the whole one that a torn line hides, or None."""
    try:
        return decode(line)
    except Unreadable:
        return salvage(line)
