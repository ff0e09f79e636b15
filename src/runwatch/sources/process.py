"""The command's process tree, sampled with psutil.

No metrics, no journal: each sample is the fields of one ``resource.sample`` event. Source: metrics.md, "resources".
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import psutil


@dataclass(slots=True)
class _Seen:
    """What one process had used when it was seen last."""

    process: psutil.Process
    cpu_s: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0


@dataclass(slots=True)
class ProcessSource:
    """Samples a process and all that descend from it, those that lost their parent on the way included."""

    pid: int
    """The command."""
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _known: set[int] = field(default_factory=set)
    """All processes of the system at the last sample: only one that is new needs to be asked for its parent."""
    _last: float | None = None
    _gone_read: int = 0
    _gone_written: int = 0

    def sample(self) -> dict[str, Any] | None:
        """Return the fields of a ``resource.sample`` event, or None when no process of the tree is alive."""
        self._discover()
        now = time.monotonic()
        cpu = rss = read = written = 0.0
        alive = 0
        for pid, seen in list(self._seen.items()):
            try:
                with seen.process.oneshot():
                    times, memory = seen.process.cpu_times(), seen.process.memory_info()
                    if seen.process.status() == psutil.STATUS_ZOMBIE:
                        raise psutil.NoSuchProcess(pid)
                    counters = seen.process.io_counters() if hasattr(seen.process, "io_counters") else None
            except (psutil.Error, OSError):
                self._forget(pid)
                continue
            used = times.user + times.system
            cpu += max(0.0, used - seen.cpu_s)
            seen.cpu_s = used
            if counters is not None:
                seen.read_bytes, seen.written_bytes = counters.read_bytes, counters.write_bytes
            rss += memory.rss
            alive += 1
        read = self._gone_read + sum(seen.read_bytes for seen in self._seen.values())
        written = self._gone_written + sum(seen.written_bytes for seen in self._seen.values())
        first, elapsed = self._last is None, now - (self._last or now)
        self._last = now
        if not alive:
            return None
        percent = 0.0 if first or elapsed <= 0 else round(100 * cpu / elapsed, 1)
        return {
            "cpu_percent": percent,
            "rss_bytes": int(rss),
            "processes": alive,
            "read_bytes": int(read),
            "written_bytes": int(written),
        }

    def processes(self) -> list[psutil.Process]:
        """Return the processes that are in the tree now, or were at the last sample."""
        self._discover()
        return [seen.process for seen in self._seen.values()]

    def _discover(self) -> None:
        """Find new members: all that descend from the command or from a member, whose parent may be gone by now."""
        children: dict[int, list[psutil.Process]] = {}
        before, self._known = self._known, set(psutil.pids())
        for pid in self._known - before:
            try:
                process = psutil.Process(pid)
                children.setdefault(process.ppid(), []).append(process)
            except (psutil.Error, OSError):
                continue  # it has ended already
            if pid == self.pid:
                self._seen[pid] = _Seen(process)
        waiting = list(self._seen)
        while waiting:
            for child in children.get(waiting.pop(), ()):
                if child.pid not in self._seen:
                    self._seen[child.pid] = _Seen(child)
                    waiting.append(child.pid)

    def _forget(self, pid: int) -> None:
        seen = self._seen.pop(pid)
        self._gone_read += seen.read_bytes
        self._gone_written += seen.written_bytes
