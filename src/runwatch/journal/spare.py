"""Small files of a run in memory, for the time in which its disk takes nothing: read-only, gone, a quota used up.

Must not be trusted beyond one boot, nor hold anything that a disk would take. They outlive every process, and are this
user's alone.
"""

from __future__ import annotations

import binascii
import errno
import os
import stat

from runwatch.journal.modes import FILE_MODE

FOLDER = "/dev/shm"
REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""What a disk says that takes nothing."""
_MOST_BYTES = 1 << 16


def name_of(path: str | os.PathLike[str]) -> str:
    """Return the file that stands for ``path``, a file of a run directory; the same disk elsewhere has others."""
    whole = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    run_id = os.path.basename(os.path.dirname(whole))
    return f"{FOLDER}/runwatch-{os.geteuid()}-{binascii.crc32(os.fsencode(whole)):08x}-{run_id}"


def open_spare(path: str | os.PathLike[str], flags: int) -> int:
    """Open the file that stands for ``path``. Raises OSError, also where it is somebody else's."""
    name = name_of(path)
    fd = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, FILE_MODE)
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        return fd
    os.close(fd)
    raise PermissionError(errno.EPERM, "It belongs to somebody else", name)


def keep(path: str | os.PathLike[str], data: bytes) -> bool:
    """Keep what ``path`` was to hold; False where that cannot be."""
    try:
        fd = open_spare(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            return os.write(fd, data) == len(data)
        finally:
            os.close(fd)
    except OSError:
        return False


def kept(path: str | os.PathLike[str]) -> bytes:
    """Return what is kept for ``path``; empty where that is nothing."""
    try:
        fd = open_spare(path, os.O_RDONLY)
        try:
            return os.read(fd, _MOST_BYTES)
        finally:
            os.close(fd)
    except OSError:
        return b""


def forget(path: str | os.PathLike[str]) -> None:
    """Take away what is kept for ``path``."""
    try:
        os.unlink(name_of(path))
    except OSError:
        pass  # there is none, or it is somebody else's
