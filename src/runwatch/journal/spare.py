"""Small files of a run in memory, for the time in which its disk takes nothing: read-only, gone, a quota used up.

Must not be trusted beyond one boot, nor hold anything that a disk would take. They outlive every process, and are this
user's alone. A link beside each, ``<device>:<run directory>``, tells whose it is: a run that was deleted needs it no
more, one whose disk is gone may come back, and is waited for, though not for ever.
"""

from __future__ import annotations

import binascii
import errno
import os
import re
import stat
import time

from runwatch.journal.modes import FILE_MODE

FOLDER = "/dev/shm"
REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""What a disk says that takes nothing."""
_MOST_BYTES = 1 << 16
AWAY_S = 30 * 86_400.0
"""So long what was kept waits for a disk that is gone: the status of its run would be known no more than that."""
NAMELESS_S = 7 * 86_400.0
"""So long what says of no run where it lies: of an earlier version, or of a disk that did not even tell its number."""
_PLACE = ".of"
"""Ends the name of the link."""


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
        if flags & os.O_CREAT:
            _note_place(name, os.path.realpath(os.path.dirname(path)))
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
    _remove(name_of(path))


def sweep() -> None:
    """Take away what was kept for runs that were deleted since, and what nobody came back for."""
    try:
        names = os.listdir(FOLDER)
    except OSError:
        return  # a system without such a folder
    ours = re.compile(rf"runwatch-{os.geteuid()}-[0-9a-f]{{8}}-.+")
    for name in {name.removesuffix(_PLACE) for name in names if ours.match(name)}:
        try:
            if _is_needless(f"{FOLDER}/{name}", time.time()):
                _remove(f"{FOLDER}/{name}")
        except (OSError, ValueError):
            continue  # another process was quicker, or it is nothing of ours


def _is_needless(name: str, now: float) -> bool:
    """Whether the run of a file is no more, or can be taken for gone. Raises OSError, ValueError."""
    place = name + _PLACE
    if not os.path.lexists(place):  # nobody can know where the run lies, or lay
        found = os.lstat(name)
        return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and now - found.st_mtime > NAMELESS_S
    link = os.lstat(place)
    device, _, folder = os.readlink(place).partition(":")
    if link.st_uid != os.geteuid() or not folder.startswith("/") or os.path.lexists(folder):
        return False
    if not os.path.lexists(name):
        return now - link.st_mtime > NAMELESS_S  # a link alone: its file went with a kill between the two
    return _is_deleted(folder, int(device)) or now - os.lstat(name).st_mtime > AWAY_S


def _remove(name: str) -> None:
    for each in (name, name + _PLACE):
        try:
            os.unlink(each)
        except OSError:
            pass  # there is none, or it is somebody else's


def _note_place(name: str, folder: str) -> None:
    try:
        os.symlink(f"{os.stat(folder).st_dev}:{folder}", name + _PLACE)
    except OSError:
        pass  # it is noted already; or the disk does not even tell that, and the file stays until the next boot


def _is_deleted(folder: str, device: int) -> bool:
    """Whether a run directory is no more, though the file system that it lay in is there. Raises OSError."""
    if os.path.lexists(folder):
        return False
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.lstat(folder).st_dev == device
