"""Limits of open files and of processes: what runwatch takes of them, and what it leaves to the command.

Must not raise any hard limit, nor a limit that protects a disk or a machine. Source: getrlimit(2); the kernel's
cgroup-v2.rst, "PID".
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from runwatch.record.memory import ROOT

ENOUGH = 1024
"""More than we ever open, and no more than select() can take."""

FEW_PROCESSES = 32
"""With room for fewer, all but what copies the output is left to the command until it has ended."""
TOO_FEW_PROCESSES = 7
"""With room for fewer, the command that comes with a shell and a pipe or two would miss what copies the output."""
_MIGHTY = 1 << 21 | 1 << 24
"""CAP_SYS_ADMIN and CAP_SYS_RESOURCE: the limit of processes does not hold. **Source**: getrlimit(2), RLIMIT_NPROC."""

_found = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_files() -> None:
    """Let this process open as many files as it may, up to what it can need."""
    soft, hard = _found
    if soft != resource.RLIM_INFINITY and soft < ENOUGH:
        _set((ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH), hard))


@contextmanager
def as_found() -> Iterator[None]:
    """Have what is started here inherit the limit that we were started with."""
    now = resource.getrlimit(resource.RLIMIT_NOFILE)
    _set(_found)
    try:
        yield
    finally:
        _set(now)


def _set(limits: tuple[int, int]) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    except (OSError, ValueError):
        pass  # what cannot be raised is worked with


def room_for_processes() -> int | None:
    """Return how many processes and threads more may be started here; None where that is not known or more than few."""
    found = [room for room in (_room_of_user(), _room_of_groups()) if room is not None]
    return min(found) if found and min(found) < FEW_PROCESSES else None


def told_of_processes() -> str | None:
    """Return what a run that starts now says of the limit of processes, None where it says nothing."""
    room = room_for_processes()
    if room is None:
        return None
    return too_few(room) if room < TOO_FEW_PROCESSES else few(room)


def too_few(room: int) -> str:
    """Return why a command is not recorded at all."""
    return f"only {room} more processes may be started, which a command may need: raise `ulimit -u` or pids.max."


def few(room: int) -> str:
    """Return what is not done while a command runs, so that it can have all that is left."""
    left = f"room for {room} more processes (`ulimit -u`, pids.max) is left to the command"
    return (
        f"{left}: no figures, samples, limits or alerts before it ends, and secrets that only its processes hold "
        "may be published."
    )


def _room_of_user() -> int | None:
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if soft == resource.RLIM_INFINITY or os.getuid() == 0 or _is_mighty():
        return None
    _, _, everybodys = _read("/proc/loadavg").rpartition("/")
    count = everybodys.split(" ")[0]
    if count.isdigit() and soft - int(count) >= FEW_PROCESSES:
        return None
    return soft - _tasks_of(os.getuid())


def _is_mighty() -> bool:
    _, _, rest = _read("/proc/self/status").partition("CapEff:")
    rights = rest.partition("\n")[0].strip()
    return bool(rights) and bool(int(rights, 16) & _MIGHTY)


def _tasks_of(user: int) -> int:
    """Return how many processes and threads a user has: a folder's links are those to it and to each folder in it."""
    count = 0
    try:
        names = os.listdir("/proc")
    except OSError:
        return count
    for name in names:
        try:
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:
                count += os.stat(f"/proc/{name}/task").st_nlink - 2
        except OSError:
            continue  # it ended meanwhile
    return count


def _room_of_groups(root: str = ROOT, own: str = "/proc/self/cgroup") -> int | None:
    """Return the room in our control group and those above; in a container they may lie at the root."""
    found = []
    for line in _read(own).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "" or "pids" in controllers.split(","):
            top = f"{root}/pids" if controllers else root
            parts = [part for part in path.split("/") if part not in ("", "..")]
            for depth in range(len(parts) + 1):
                folder = "/".join((top, *parts[:depth]))
                most, now = (_read(f"{folder}/pids.{name}").strip() for name in ("max", "current"))
                if most.isdigit() and now.isdigit():
                    found.append(int(most) - int(now))
    return min(found, default=None)


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, 65536).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
