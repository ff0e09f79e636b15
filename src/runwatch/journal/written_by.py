"""Who has a run's journal open for writing: tells a live run whose lock file somebody deleted.

Must not believe a pid that is written down, nor take those who only read for anybody. Linux only: elsewhere nobody is
found.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def writer_of(journal: Path) -> int | None:
    """Return the pid of another process that has ``journal`` open for writing; None where none is seen.

    Looks at every process of this user: some milliseconds. Source: proc(5), "fd", "fdinfo".
    """
    try:
        wanted = os.stat(journal, follow_symlinks=False)
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    for pid in pids:
        if pid != os.getpid() and _writes(pid, (wanted.st_dev, wanted.st_ino)):
            return pid
    return None


def _writes(pid: int, wanted: tuple[int, int]) -> bool:
    with suppress(OSError):  # it has ended, or is somebody else's
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):  # it was closed just now
                found = os.stat(f"/proc/{pid}/fd/{fd}")
                if (found.st_dev, found.st_ino) == wanted and _is_for_writing(pid, fd):
                    return True
    return False


def _is_for_writing(pid: int, fd: str) -> bool:
    for line in Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "flags":
            return int(value, 8) & os.O_ACCMODE != os.O_RDONLY
    return False
