"""The guardian of a run that a program records by itself: started, told the end, waited for.

Must not finalize, and must not be a child of the program: that may wait for all its children, or be surprised by one.
Source: finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import errno
import os
import select
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from runwatch.journal.descriptors import above_standard, close_own
from runwatch.journal.paths import RunPaths

_SHELL = "/bin/sh"
_SCRIPT = 'exec 3<&0; "$@" <&3 3<&- >/dev/null 2>&1 & echo $!'
"""Starts the guardian in the background and leaves at once, so that init inherits it; the pid comes back."""
_LOCK_FD = 4
"""What the shell leaves alone."""
_POLL_S = 0.05


class Guardian:
    """A guardian at work. All of it belongs to the process that started it."""

    def __init__(self, pid: int, goodbye_fd: int) -> None:
        self.pid = pid
        self._goodbye_fd = goodbye_fd
        self._identity = _identity(goodbye_fd)
        self._pid_fd = _pidfd_open(pid)

    @classmethod
    def start(cls, paths: RunPaths, lock_fd: int = -1) -> Guardian:
        """Start a guardian in a session of its own. Raises OSError.

        ``lock_fd`` is what `reserve` returned: the guardian holds it from its first moment to its last.
        """
        if not sys.executable:
            raise OSError(errno.ENOENT, "this interpreter does not know its own program")
        theirs, ours = os.pipe()
        try:
            ours = above_standard(ours)
            own = [sys.executable, "-P", "-m", "runwatch.record.guardian"]
            pid = _start([*own, *_arguments(paths, lock_fd)], theirs, lock_fd)
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(pid, ours)

    def say_goodbye(self, message: dict[str, Any]) -> bool:
        """Send the goodbye; False when nobody can hear it."""
        if _identity(self._goodbye_fd) != self._identity:
            self._goodbye_fd = self._found_again()
        if self._goodbye_fd < 0 or self.wait(0):
            return False
        try:
            os.write(self._goodbye_fd, msgspec.json.encode(message, enc_hook=str) + b"\n")
        except OSError:
            return False
        return True

    def _found_again(self) -> int:
        """Open the goodbye pipe again at its other end, for a program that closed what it does not know; else -1."""
        try:
            fd = above_standard(os.open(f"/proc/{self.pid}/fd/0", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError:
            return -1  # gone, or a system that does not show it
        if _identity(fd) == self._identity:
            return fd
        os.close(fd)
        return -1

    def wait(self, wait_s: float) -> bool:
        """Wait until the guardian has ended; False when it is still at work after ``wait_s`` seconds."""
        if self._pid_fd is not None and not _is_pidfd(self._pid_fd, self.pid):
            self._pid_fd = _pidfd_open(self.pid)
        if self._pid_fd is not None:
            poll = select.poll()
            poll.register(self._pid_fd, select.POLLIN)
            return bool(poll.poll(wait_s * 1000))
        deadline = time.monotonic() + wait_s
        while _exists(self.pid):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def close(self) -> None:
        """Give the descriptors back, but those that are the program's by now."""
        if self._goodbye_fd >= 0 and self._identity is not None:
            close_own(self._goodbye_fd, self._identity)
        if self._pid_fd is not None and _is_pidfd(self._pid_fd, self.pid):
            os.close(self._pid_fd)
        self._goodbye_fd, self._pid_fd = -1, None


def _pidfd_open(pid: int) -> int | None:
    """Return a descriptor of a process; None where there is no such call, or no such process any more."""
    try:
        return above_standard(os.pidfd_open(pid))
    except (AttributeError, OSError):
        return None


def _is_pidfd(fd: int, pid: int) -> bool:
    """Whether a descriptor is still that of a process: their inodes do not tell them apart. Source: proc(5)."""
    try:
        with open(f"/proc/self/fdinfo/{fd}") as file:
            said = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return False
    return said.get("Pid", "").strip() in (str(pid), "-1")  # -1: it has ended, and was waited for


def _arguments(paths: RunPaths, lock_fd: int) -> list[str]:
    return [str(paths.root), str(os.getpid()), *([str(_LOCK_FD)] if lock_fd >= 0 else [])]


def _start(argv: list[str], stdin: int, lock_fd: int = -1) -> int:
    """Start a program that is nobody's child, with ``stdin`` as its standard input; return its pid. Raises OSError.

    It has ``lock_fd`` under the number ``_LOCK_FD``; no other process inherits it.
    """
    answer, theirs = os.pipe()
    try:
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, theirs, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        if lock_fd >= 0:
            actions.append((os.POSIX_SPAWN_DUP2, lock_fd, _LOCK_FD))
        shell = os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _SCRIPT, "runwatch", *argv],
            _environment(),
            file_actions=actions,
            setsid=True,
            setsigmask=[],
            setsigdef=sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}),
        )
    except (OSError, NotImplementedError) as error:  # the latter where a system cannot start sessions so
        os.close(answer)
        raise OSError(getattr(error, "errno", None) or errno.ENOSYS, str(error)) from error
    finally:
        os.close(theirs)
    try:
        with open(answer, "rb") as file:
            said = file.read()
    finally:
        try:
            os.waitpid(shell, 0)
        except ChildProcessError:
            pass  # a handler of the program's was quicker
    if not said.strip().isdigit():
        raise OSError(errno.EAGAIN, "the guardian did not start")
    return int(said)


def _environment() -> dict[str, str]:
    """Return our environment, with the folder that this package was found in: the program may have added it by hand."""
    package_folder = str(Path(__file__).resolve().parents[2])
    former = os.environ.get("PYTHONPATH")
    environment = dict(os.environ)
    environment.pop("PYTHONINSPECT", None)  # it is to end when it has ended
    environment["PYTHONPATH"] = os.pathsep.join([package_folder, former] if former else [package_folder])
    return environment


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISFIFO(found.st_mode) else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
