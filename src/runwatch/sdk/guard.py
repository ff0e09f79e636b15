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

from runwatch.journal.paths import RunPaths

_SHELL = "/bin/sh"
_SCRIPT = 'exec 3<&0; "$@" <&3 3<&- >/dev/null 2>&1 & echo $!'
"""Starts the guardian in the background and leaves at once, so that init inherits it; the pid comes back."""
_POLL_S = 0.05


class Guardian:
    """A guardian at work. All of it belongs to the process that started it."""

    def __init__(self, pid: int, goodbye_fd: int) -> None:
        self.pid = pid
        self._goodbye_fd = goodbye_fd
        self._identity = _identity(goodbye_fd)
        try:
            self._pid_fd: int | None = os.pidfd_open(pid)
        except (AttributeError, OSError):  # no such call on this system, or no such process any more
            self._pid_fd = None

    @classmethod
    def start(cls, paths: RunPaths) -> Guardian:
        """Start a guardian in a session of its own. Raises OSError."""
        if not sys.executable:
            raise OSError(errno.ENOENT, "this interpreter does not know its own program")
        theirs, ours = os.pipe()
        try:
            pid = _start([sys.executable, "-P", "-m", "runwatch.record.guardian", *_arguments(paths)], theirs)
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(pid, ours)

    def say_goodbye(self, message: dict[str, Any]) -> bool:
        """Send the goodbye; False when nobody can hear it."""
        if self.wait(0) or _identity(self._goodbye_fd) != self._identity:
            return False  # gone, or the program closed what it did not know
        try:
            os.write(self._goodbye_fd, msgspec.json.encode(message, enc_hook=str) + b"\n")
        except OSError:
            return False
        return True

    def wait(self, wait_s: float) -> bool:
        """Wait until the guardian has ended; False when it is still at work after ``wait_s`` seconds."""
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
        """Give the descriptors back."""
        for fd, mine in ((self._goodbye_fd, _identity(self._goodbye_fd) == self._identity), (self._pid_fd, True)):
            if fd is not None and mine:
                try:
                    os.close(fd)
                except OSError:
                    pass  # the program closed it


def _arguments(paths: RunPaths) -> list[str]:
    return [str(paths.root), str(os.getpid())]


def _start(argv: list[str], stdin: int) -> int:
    """Start a program that is nobody's child, with ``stdin`` as its standard input; return its pid. Raises OSError."""
    answer, theirs = os.pipe()
    try:
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, theirs, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
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
