"""Ending processes of a run: a command whose supervisor is gone, and what a command left behind.

Must not decide whether they are to be ended. Source: finalizer.md, "How the command is stopped".
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from runwatch.sources import run_processes

POLL_S = 0.05
LOOKS = 2
"""So many in a row must find nobody: whoever is replacing its program at that moment shows no environment."""
Find = Callable[[], Iterable[psutil.Process]]


def end_command(command: int, root: Path, grace_s: float) -> None:
    """End a command as a closed terminal would: SIGHUP to it and all below it, and SIGKILL after the grace time.

    A process that made itself a session of its own and lost its parent is a daemon: no closed terminal would end it.
    ``command`` is its pid, or 0 where nobody was told.
    """
    session = _session(command)
    if command > 0 and session is None:
        return  # it had ended by itself; what it left behind is told of like after any end

    def find() -> list[psutil.Process]:
        below = run_processes.descendants(command) if command > 0 else []
        known = {process.pid for process in below}
        of_run = run_processes.of_run(root)
        return below + [one for one in of_run if one.pid not in known and session in (None, _session(one.pid))]

    end(find, signal.SIGHUP, grace_s)


def end_left(root: Path, grace_s: float) -> None:
    """End the processes that a command left behind: SIGTERM, and SIGKILL after the grace time."""
    end(lambda: run_processes.of_run(root), signal.SIGTERM, grace_s)


def end(find: Find, first: signal.Signals, grace_s: float) -> None:
    """Send ``first`` and SIGCONT to what ``find`` finds, again to what appears later, then SIGKILL to what is left."""
    deadline = time.monotonic() + grace_s
    told: set[psutil.Process] = set()  # equal only to the same process: a number that is used again is another one
    empty = 0
    while True:
        alive = {*find(), *(process for process in told if process.is_running() and not _is_zombie(process))}
        empty = 0 if alive else empty + 1
        if empty == LOOKS:
            return
        over = time.monotonic() >= deadline
        for process in alive if over else alive - told:
            _send(process, *((signal.SIGKILL,) if over else (first, signal.SIGCONT)))
        if over and time.monotonic() >= deadline + grace_s:
            return  # the kernel does not let go of it
        told |= alive
        time.sleep(POLL_S)


def _send(process: psutil.Process, *numbers: signal.Signals) -> None:
    for number in numbers:
        try:
            process.send_signal(number)
        except (psutil.Error, OSError):
            return


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def _session(pid: int) -> int | None:
    """Return the session of a process; None where it is gone, or there is none."""
    try:
        return os.getsid(pid) if pid > 0 else None
    except OSError:
        return None
