"""Which processes belong to a recorded command: those that descend from it, and those that carry its run in their
environment.

Must not signal any of them. Processes of other users are not found.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from runwatch.sources.survivors import VARIABLE, command_line

_WATCHERS = frozenset({"runwatch.record.recorder", "runwatch.record.guardian"})
"""Of a run inside this one: they end with it, and must finalize it first."""
_MOST_NAMED = 5


def descendants(pid: int) -> list[psutil.Process]:
    """Return a process and all that descend from it, parents first; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [each for each in (process, *process.children(recursive=True)) if _is_alive(each)]
    except psutil.Error:
        return []


def of_run(root: Path) -> list[psutil.Process]:
    """Return the processes whose environment names the run directory ``root``, in the order of their pids.

    Those whose parents are all gone are found so too.
    """
    wanted = str(root.resolve())
    return [process for process in psutil.process_iter() if _names(process, wanted) and _is_alive(process)]


def described(processes: Iterable[psutil.Process]) -> str:
    """Return processes for people: ``sleep 600 (pid 1234), sh (pid 1235) and 3 more``."""
    names = [f"{command_line(process)} (pid {process.pid})" for process in processes if _is_alive(process)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _names(process: psutil.Process, root: str) -> bool:
    try:
        return bool(process.environ().get(VARIABLE) == root) and _WATCHERS.isdisjoint(process.cmdline())
    except (psutil.Error, OSError):
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
