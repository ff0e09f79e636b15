"""Who is alive in a run: record locks that the kernel drops when their holder dies.

Must not trust a PID file or a stored "running". A POSIX record lock is not inherited by a fork; it is also dropped
when its holder closes *any* descriptor of the file, so a process opens a run's lock once and probes through it; a
program that closes what it does not know drops it too, and what is held then is what its guardian holds (`reserve`).
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time
from enum import IntEnum
from pathlib import Path

from runwatch.journal.beneath import open_regular
from runwatch.journal.descriptors import above_standard, close_own, identity

HEARTBEAT_S = 1.0
"""How often a live recorder touches its lock file."""
STALLED_S = 10.0
"""A live recorder whose heartbeat is older than this is shown as stalled."""
NOTE_BYTES = 4096
"""No note is longer."""


class Role(IntEnum):
    """What a process is to a run; the value is the byte of the lock file that it locks."""

    OWNER = 0
    RECORDER = 1
    FINALIZER = 2
    STARTER = 3
    """Who made the run directory, until the supervisor that takes over holds OWNER; a program's guardian, as long as
    it lives: see `reserve`."""
    WRITER = 4
    """Who replaces the files that are made of the journal: a finalizer, or for a moment a recorder."""


_held: dict[str, RunLock] = {}


class RunLock:
    """The lock file of one run, opened once in this process. Use ``RunLock.of``."""

    def __init__(self, path: Path) -> None:
        """Open the lock file, creating it. Raises OSError."""
        self.path = path
        self._fd = above_standard(open_regular(path, os.O_RDWR | os.O_CREAT))
        self._file = identity(self._fd)
        self.pid = os.getpid()
        self.roles: set[Role] = set()

    @classmethod
    def of(cls, path: Path) -> RunLock:
        """Return this process's only RunLock on ``path``. Raises OSError."""
        key = os.path.realpath(path)
        lock = _held.get(key)
        if lock is None or not lock.is_open:
            lock = _held[key] = cls(path)
        return lock

    @classmethod
    def adopt(cls, path: Path, fd: int) -> RunLock:
        """Return this process's RunLock on a descriptor that `reserve` gave to it, STARTER held.

        The program that this process starts does not inherit it.
        """
        os.set_inheritable(fd, False)
        lock = cls.__new__(cls)
        lock.path, lock._fd, lock.pid, lock.roles = path, fd, os.getpid(), set()
        lock._file = identity(fd)
        _held[os.path.realpath(path)] = lock
        return lock

    @property
    def is_open(self) -> bool:
        """Whether this is this process's, and its descriptor still the lock file's: a program may have closed it."""
        return self.pid == os.getpid() and identity(self._fd) == self._file

    def started(self) -> None:
        """Give STARTER back: an owner is there now."""
        if _OFD_SETLK is not None:
            fcntl.fcntl(self._fd, _OFD_SETLK, _flock(fcntl.F_UNLCK, int(Role.STARTER)))

    def acquire(self, role: Role, wait_s: float = 0.0) -> bool:
        """Take a role; False when another process still holds it after ``wait_s`` seconds, or the lock is not open."""
        deadline = time.monotonic() + wait_s
        while True:
            try:
                if not self.is_open:
                    return False
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(role))
            except OSError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.02)
            else:
                self.roles.add(role)
                return True

    def release(self, role: Role) -> None:
        """Give a role back; nothing happens when it is not held."""
        if role in self.roles and self.is_open:
            fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, int(role))
        self.roles.discard(role)

    def beat(self) -> None:
        """Leave the recorder's heartbeat: the modification time of the lock file."""
        try:
            os.utime(self._fd)
        except OSError:
            pass  # a disk that became read-only: the recorder looks stalled, and is not

    def note(self, text: bytes) -> None:
        """Make ``text`` what the lock file holds, for those who find the run without an owner. Raises OSError."""
        os.pwrite(self._fd, text, 0)
        os.ftruncate(self._fd, len(text))

    def noted(self) -> bytes:
        """Return what the lock file holds. Raises OSError."""
        return os.pread(self._fd, NOTE_BYTES, 0)

    def close(self) -> None:
        """Give everything back, and what `of` opened in its place where a program had closed this one."""
        if self.pid == os.getpid():
            newer = _held.pop(os.path.realpath(self.path), self)
            for each in {self, newer}:
                close_own(each._fd, each._file)
                each.roles.clear()

    def probe(self, role: Role) -> int | None:
        """Return the pid that holds a role (0 when it is in another namespace), None when nobody does."""
        if role in self.roles and self.is_open:
            return self.pid
        return _get_lock(self._fd, int(role))


def holders(path: Path) -> dict[Role, int]:
    """Return role → pid for the lock file at ``path``; empty when there is none. Takes nothing, disturbs nobody."""
    lock = _held.get(os.path.realpath(path))
    if lock is not None and lock.is_open:
        found = {role: lock.probe(role) for role in Role}
        return {role: pid for role, pid in found.items() if pid is not None}
    try:
        fd = open_regular(path, os.O_RDWR)
    except OSError:
        return {}
    try:
        pids = {role: _get_lock(fd, int(role)) for role in Role}
    finally:
        os.close(fd)
    return {role: pid for role, pid in pids.items() if pid is not None}


def is_live(path: Path) -> bool:
    """Whether an owner, a recorder or a starter of the run whose lock file is ``path`` is alive."""
    return not holders(path).keys().isdisjoint({Role.OWNER, Role.RECORDER, Role.STARTER})


def reserve(path: Path, *, inheritable: bool = True) -> int:
    """Hold a new run for the process that will own or guard it; return a descriptor, -1 where there is no way.

    A record lock belongs to one process; this one belongs to the open file and lasts as long as anybody who inherited
    the descriptor has it open: no moment is left in which another process could take the run for dead. So a program
    must not keep it, whose forks would; and must close it before it takes OWNER, which any such close drops.
    Source: fcntl(2), "Open file description locks".
    """
    if _OFD_SETLK is None:
        return -1
    fd = above_standard(open_regular(path, os.O_RDWR | os.O_CREAT))
    try:
        fcntl.fcntl(fd, _OFD_SETLK, _flock(fcntl.F_WRLCK, int(Role.STARTER)))
    except OSError:
        os.close(fd)
        return -1
    os.set_inheritable(fd, inheritable)
    return fd


def noted(path: Path) -> bytes:
    """Return the note that the owner left in the lock file; empty where there is none."""
    lock = _held.get(os.path.realpath(path))
    try:
        if lock is not None and lock.is_open:
            return lock.noted()  # closing another descriptor of the file would drop what is held
        fd = open_regular(path)
        try:
            return os.read(fd, NOTE_BYTES)
        finally:
            os.close(fd)
    except OSError:
        return b""


def heartbeat_age_s(path: Path, now: float | None = None) -> float | None:
    """Seconds since the recorder's last heartbeat by the wall clock; None when there is no lock file."""
    try:
        return max(0.0, (time.time() if now is None else now) - os.stat(path, follow_symlinks=False).st_mtime)
    except OSError:
        return None


# struct flock, from <fcntl.h>: Linux (64-bit off_t) and macOS order its members differently.
_DARWIN = sys.platform == "darwin"
_LAYOUT = "qqihh" if _DARWIN else "hhqqi4x"
_OFD_SETLK: int | None = getattr(fcntl, "F_OFD_SETLK", None)


def _flock(kind: int, start: int) -> bytes:
    if _DARWIN:
        return struct.pack(_LAYOUT, start, 1, 0, kind, os.SEEK_SET)
    return struct.pack(_LAYOUT, kind, os.SEEK_SET, start, 1, 0)


def _get_lock(fd: int, start: int) -> int | None:
    """Ask the kernel who would be in the way of an exclusive lock on one byte (F_GETLK)."""
    answer = struct.unpack(_LAYOUT, fcntl.fcntl(fd, fcntl.F_GETLK, _flock(fcntl.F_WRLCK, start)))
    kind, pid = (answer[3], answer[2]) if _DARWIN else (answer[0], answer[4])
    return None if kind == fcntl.F_UNLCK else max(0, pid)
