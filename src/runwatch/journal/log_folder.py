"""Safe access to files below one folder: opened part by part, never through a symbolic link, regular files only.

Must not read what they hold.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class LogFolder:
    """A folder that holds logs; names are paths below it with ``/`` between their parts."""

    def __init__(self, path: Path | str) -> None:
        self.path = os.fspath(path)

    def __repr__(self) -> str:
        return f"LogFolder({self.path!r})"

    def stat(self, name: str) -> os.stat_result | None:
        """Return the state of a regular file, or None when there is none by that name."""
        try:
            found = os.stat(f"{self.path}/{name}", follow_symlinks=False)
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def open(self, name: str) -> int:
        """Return a descriptor for reading a regular file. Raises OSError; the caller closes it."""
        *folders, last = name.split("/")
        folder = os.open(self.path, _FOLDER)
        try:
            for part in folders:
                inner = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            fd = os.open(last, _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(f"{name} is no regular file")
        return fd

    def scan(self, name: str = "") -> list[os.DirEntry[str]]:
        """Return the entries of a folder below, or of this one; none when it cannot be read."""
        path = f"{self.path}/{name}" if name else self.path
        try:
            fd = os.open(path, _FOLDER)
        except OSError:
            return []
        try:
            with os.scandir(path) as entries:
                return list(entries)
        except OSError:
            return []
        finally:
            os.close(fd)
