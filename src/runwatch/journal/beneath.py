"""Opening files below a run's directory without being led out of it: no link on the way, regular files only.

Must not read or interpret what it opens, and never waits: a pipe that somebody planted has nobody at its other end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from runwatch.journal.modes import DIR_MODE, FILE_MODE, FOLDER

_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_regular(path: Path | str, flags: int = os.O_RDONLY, *, dir_fd: int | None = None) -> int:
    """Return a descriptor of a regular file; what it creates has mode 0600. Raises OSError for anything else.

    Only the last part of the path is kept from being a link: its folder must be known to be a real one.
    """
    fd = os.open(path, flags | _SAFELY, FILE_MODE, dir_fd=dir_fd)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    return fd


def open_beneath(root: Path, name: str, flags: int = os.O_RDONLY) -> int:
    """Return a descriptor of a regular file ``name`` (parts joined by ``/``) below ``root``. Raises OSError.

    Neither ``root`` nor any folder below it may be a link. With ``O_CREAT`` the last folder is made too where it is
    missing, with mode 0700, but not those above it: a run that was deleted is not made anew.
    """
    *folders, last = name.split("/")
    at = os.open(root, FOLDER)
    try:
        for number, folder in enumerate(folders, 1):
            if flags & os.O_CREAT and number == len(folders):
                try:
                    os.mkdir(folder, DIR_MODE, dir_fd=at)
                except FileExistsError:
                    pass
            deeper = os.open(folder, FOLDER, dir_fd=at)
            os.close(at)
            at = deeper
        return open_regular(last, flags, dir_fd=at)
    finally:
        os.close(at)


def read_regular(path: Path | str) -> bytes:
    """Return what a regular file holds. Raises OSError, for a link too."""
    with open(open_regular(path), "rb") as file:
        return file.read()
