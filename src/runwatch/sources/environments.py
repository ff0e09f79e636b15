"""What the environments of a command's processes hold that runwatch itself was not given.

Must not keep any of it, nor decide what of it is a secret. Source: proc_pid_environ(5).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import psutil

_MOST_BYTES = 1 << 20
_MOST_SEEN = 50_000
"""Different variables that are known again; a command that makes more has each looked at once more."""
_LOOKS_WHILE_YOUNG = 5
"""So often a new process is looked at whatever it executes: between fork and exec it has its parent's environment."""


@dataclass(slots=True)
class _Looked:
    """What was seen of one process."""

    executes: str = ""
    """Its program: another one has another environment."""
    times: int = 0
    """How often it was looked at."""


class Environments:
    """The variables of processes as they come; each is told once."""

    def __init__(self, own: Mapping[bytes, bytes]) -> None:
        """``own`` is what is known without looking."""
        self._seen = {hash(b"%s=%s" % pair) for pair in own.items()}
        self._looked: dict[psutil.Process, _Looked] = {}

    def new(self, processes: Collection[psutil.Process]) -> list[tuple[str, str]]:
        """Return the variables of live processes that none had before: names, each with its value."""
        for gone in self._looked.keys() - set(processes):
            del self._looked[gone]
        found: list[tuple[str, str]] = []
        for process in processes:
            found += self._of(process)
        return found

    def _of(self, process: psutil.Process) -> Iterable[tuple[str, str]]:
        looked = self._looked.setdefault(process, _Looked())
        try:
            executes = os.readlink(f"/proc/{process.pid}/exe")
        except OSError:
            return ()  # gone, somebody else's, or a system without /proc
        looked.times += 1
        if looked.times > _LOOKS_WHILE_YOUNG and executes == looked.executes:
            return ()
        environment = _environment(process.pid)
        if any(environment):  # it is empty for a moment while an exec goes on
            looked.executes = executes
        return self._unseen(environment)

    def _unseen(self, entries: list[bytes]) -> list[tuple[str, str]]:
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        found = []
        for entry in entries:
            if (key := hash(entry)) not in self._seen:
                self._seen.add(key)
                name, separator, value = entry.partition(b"=")
                if separator:
                    found.append((os.fsdecode(name), os.fsdecode(value)))
        return found


def _environment(pid: int) -> list[bytes]:
    """Return the variables that a process was started with; none where it is gone or somebody else's."""
    try:
        fd = os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return os.read(fd, _MOST_BYTES).split(b"\0")
    except OSError:
        return []
    finally:
        os.close(fd)
