"""Which process a pid stood for: with its start time and its boot, so that a pid given again is not taken for it.

Must not look at anything but that process. Linux only: elsewhere there is no mark, and nobody is named.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = "/proc"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_PARTS = 3


def mark_of(pid: int) -> bytes:
    """Return ``pid start-ticks boot-id``, one line; empty where the system does not say. Source: proc(5), stat."""
    start = _start(pid)
    try:
        boot = Path(_BOOT_ID).read_text().strip()
    except OSError:
        return b""
    return f"{pid} {start} {boot}\n".encode() if start else b""


def marked(mark: bytes) -> int | None:
    """Return the pid of a mark while that very process lives; None when it is gone, or what is given is no mark."""
    parts = mark.split()
    if len(parts) != _PARTS or not parts[0].isdigit():
        return None
    pid = int(parts[0])
    return pid if mark_of(pid).split() == parts else None


def _start(pid: int) -> str | None:
    """Return when a process started, in clock ticks since the boot; None when it is gone or only waits to be reaped."""
    try:
        fd = os.open(f"{_PROC}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fields = os.read(fd, 4096).rpartition(b")")[2].split()
    except OSError:
        return None
    finally:
        os.close(fd)
    return fields[19].decode() if len(fields) > 19 and fields[0] not in (b"Z", b"X") else None
