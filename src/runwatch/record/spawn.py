"""Starting the command so that it finds what it would find without us.

Must not wait for it, copy its output, or decide what its end means.
Source: record.md, "The environment of the command".
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from runwatch.journal.descriptors import is_held
from runwatch.record import limits

PIPE_BYTES = 1 << 20
"""Asked for as the pipes' size, so that a command that prints much seldom waits."""

Mode = Literal["pipe", "pty"]


@dataclass(slots=True)
class Channel:
    """One of the command's output streams: what we read, what it writes, where it would have gone."""

    name: Literal["stdout", "stderr"]
    """Name of the log."""
    read_fd: int
    """Our end."""
    write_fd: int
    """The command's end; closed by us once it is started."""
    pass_fd: int | None
    """Where the bytes pass through to; None under the app."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start the command."""

    argv: list[str]
    """Program and arguments."""
    env: dict[bytes, bytes] = field(default_factory=dict)
    """Its whole environment."""
    mode: Mode = "pipe"
    """What its output streams are."""
    own_session: bool = False
    """Under the app and detached."""
    null_stdin: bool = False
    """Standard input is /dev/null instead of ours."""


_SHORTAGES = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EBADF})
"""Not the program's fault: without us it might start. The last: an end of a pipe lies beyond the limit of files."""


class CannotStart(Exception):
    """The command cannot be started; carries the exit code that a shell would give."""

    def __init__(self, exit_code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.sentence = sentence


def open_channels(mode: Mode, pass_through: bool, size: tuple[int, int] | None = None) -> list[Channel]:
    """Return stdout and stderr. Raises OSError."""
    return [_open(name, mode, fd if pass_through else None, size) for name, fd in (("stdout", 1), ("stderr", 2))]  # type: ignore[arg-type]  # literal names


def _open(name: Literal["stdout", "stderr"], mode: Mode, pass_fd: int | None, size: tuple[int, int] | None) -> Channel:
    if mode == "pty":
        master, slave = os.openpty()
        _raw(slave)
        if size:
            set_size(master, *size)
        os.set_inheritable(master, False)
        os.set_inheritable(slave, False)
        return Channel(name, master, slave, pass_fd)
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # over the user's pipe quota: the default size works too
    return Channel(name, read_fd, write_fd, pass_fd)


def _raw(fd: int) -> None:
    """Switch output processing and echo off, so that bytes stay what they were."""
    attributes = termios.tcgetattr(fd)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def set_size(fd: int, rows: int, columns: int) -> None:
    """Tell a terminal its size, in characters."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def start(launch: Launch, channels: list[Channel], ignored: set[int]) -> int:
    """Start the command and close its ends of the channels here; return its pid.

    ``ignored`` are the signals that were ignored when runwatch started: they stay so, all others get their default.
    Raises CannotStart, and OSError where processes, memory or descriptors have run out: then the channels stay open
    for another try.
    """
    try:
        pid = _spawn(launch, channels, ignored)
    except CannotStart:
        _close(channels)
        raise
    _close(channels)
    return pid


def _close(channels: list[Channel]) -> None:
    for channel in channels:
        os.close(channel.write_fd)


def _spawn(launch: Launch, channels: list[Channel], ignored: set[int]) -> int:
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = []
    if launch.null_stdin:
        actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
    for channel, fd in zip(channels, (1, 2), strict=True):
        if channel.pass_fd is None or not is_held(fd):  # else it was closed when we came, and is for the command too
            actions.append((os.POSIX_SPAWN_DUP2, channel.write_fd, fd))
    # Python ignores SIGPIPE and SIGXFSZ for itself; nobody can tell whether our caller did, and no shell does.
    defaults = {signal.SIGPIPE, signal.SIGXFSZ, *signal.valid_signals()} - ignored - {signal.SIGKILL, signal.SIGSTOP}
    options = {
        "file_actions": actions,
        "setsigmask": [],
        "setsigdef": sorted(defaults),
        **({"setsid": True} if launch.own_session else {}),
    }
    with limits.as_found():
        return _spawn_program(launch, options)


def _spawn_program(launch: Launch, options: dict[str, Any]) -> int:
    program = launch.argv[0]
    try:
        return os.posix_spawnp(program, launch.argv, launch.env, **options)
    except OSError as error:
        if error.errno == errno.ENOEXEC:  # a script without "#!": a shell runs it itself
            found = _which(program)
            return os.posix_spawn("/bin/sh", ["sh", found, *launch.argv[1:]], launch.env, **options)
        if error.errno in _SHORTAGES:
            raise
        raise _cannot_start(program, error) from None
    except ValueError as error:
        raise CannotStart(126, f"{program!r} cannot be started: {error}.") from None


def reap_orphans(own: Collection[int | None]) -> None:
    """Reap children that are not ``own``: process 1 of a container gets those that the command leaves behind."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid in own:  # it has ended just now: it comes first the next time
            return
        os.waitpid(found.si_pid, os.WNOHANG)


def _which(program: str) -> str:
    import shutil

    return shutil.which(program) or program


def _cannot_start(program: str, error: OSError) -> CannotStart:
    """Name the reason as a shell does: 127 for what is not there, 126 for what cannot be executed."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if "/" in program and os.path.exists(program):
            return CannotStart(126, f"{program}: its interpreter (the first line, '#!…') does not exist.")
        return CannotStart(127, f"{program}: command not found; check the spelling and PATH.")
    if os.path.isdir(program):
        return CannotStart(126, f"{program}: is a directory.")
    return CannotStart(126, f"{program}: cannot be executed ({error.strerror}).")
