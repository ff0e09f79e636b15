"""Recovering dead runs in the background: one process at a time in a place, at a low priority, a few runs each time.

Must not delay whoever starts it, and must not hold any of its files: it is a session of its own. Started as
``python -P -m runwatch.record.sweep RUNS_ROOT [--look]``; its standard output carries a line for each run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from runwatch.finalize.condition import LOOK, condition, is_settled, needs_look
from runwatch.finalize.whereabouts import first_event
from runwatch.journal.paths import RunPaths
from runwatch.record import background
from runwatch.record.folding import load_settings
from runwatch.runs import recovery, recovery_text
from runwatch.visible import visible

NICENESS = 10
"""Added to our caller's: enough to stay out of the way, not so much that git's lock is held for long on a busy host."""
MOST_RUNS = 20
"""So many are recovered at a time, the newest first; the next run, or `runwatch recover`, does the others."""
MOST_S = 600.0
"""No further run is begun after so long."""
NAMED = 3
"""So many runs are named one by one."""
UNSETTLED_S = 15.0
"""So long a run that died moments ago is waited for; one that somebody writes to for longer is left to the next run."""
_POLL_S = 0.2


def _lies_in_its_place(paths: RunPaths) -> bool:
    """Whether a run directory is called as the run says of itself."""
    _, started = first_event(paths)
    return started is None or (started.framework, started.run_id) == (paths.framework, paths.run_id)


class Neighbors:
    """The dead runs beside one that is being recorded: looked for in a thread, and recovered in the background."""

    def __init__(self, paths: RunPaths, say: Callable[[str], None]) -> None:
        """``say`` takes one line for people at a time; it is called from the thread."""
        self._own, self._say = paths.root.resolve(), say
        self._root = self._own.parent.parent
        self._looked = threading.Event()
        # One that was moved away may lie anywhere: what is found around it are not the runs of its place.
        self._began = not _lies_in_its_place(paths)
        if self._began:
            self._looked.set()

    def start(self) -> None:
        """Begin to look, once the command was started; returns at once, and does nothing the second time."""
        if self._began:
            return
        self._began = True
        try:
            threading.Thread(target=self._run, name="neighbors", daemon=True).start()
        except RuntimeError:  # no thread is to be had: `runwatch recover`, or the next run, does it
            self._looked.set()

    def settle(self, wait_s: float) -> None:
        """Wait, for ``wait_s`` seconds at most, until it is known whether there are any, and their recovery began."""
        self._looked.wait(wait_s)

    def _run(self) -> None:
        try:
            dead = recovery.waiting(self._root, wanted=self._others(can_sweep))
            fresh = recovery.waiting(self._root, wanted=self._others(will_settle))
            if dead or fresh:
                self._recover(dead, fresh)
        except OSError as error:
            self._tell(f"runs without an owner could not be recovered: {error.strerror}.")
        finally:
            self._looked.set()

    def _others(self, wanted: Callable[[RunPaths], bool]) -> Callable[[RunPaths], bool]:
        return lambda paths: paths.root != self._own and wanted(paths)

    def _recover(self, dead: list[Path], fresh: list[Path]) -> None:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        try:
            background.start(self._root, look=False, output=write_fd)
        finally:
            os.close(write_fd)
        if dead:
            whose = "run has lost its" if len(dead) == 1 else "runs have lost their"
            self._tell(f"{len(dead)} earlier {whose} processes and will be finalized in the background: {_named(dead)}")
        if fresh:
            runs = "run" if len(fresh) == 1 else "runs"
            self._tell(
                f"{len(fresh)} earlier {runs} lost all processes moments ago and will be finalized in the background: "
                f"{_named(fresh)}"
            )
        self._looked.set()
        with os.fdopen(read_fd, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self._tell(" ".join(line.split()))

    def _tell(self, text: str) -> None:
        self._say(f"runwatch: {visible(text)}")


def _named(runs: list[Path]) -> str:
    names = [f"{path.parent.name}/{path.name}" for path in runs]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def sweep(root: Path, *, look: bool, say: Callable[[str], None]) -> None:
    """Recover what is dead below ``root``, unless somebody else is at it already; ``say`` takes a line for each run.

    Who does more than look waits for those that died moments ago, until their watchers have had time to speak.
    """
    deadline = time.monotonic() + MOST_S
    with recovery.only_one(root) as alone:
        if not alone:
            return
        tried = _recover(recovery.waiting(root, wanted=needs_look if look else can_sweep), look, say, deadline)
        if not look and _settle(recovery.waiting(root, wanted=will_settle)):
            waiting = [path for path in recovery.waiting(root, wanted=can_sweep) if path not in tried]
            _recover(waiting, look, say, deadline)


def _recover(waiting: list[Path], look: bool, say: Callable[[str], None], deadline: float) -> set[Path]:
    """Recover runs, some at most, until the time is over; return which they were."""
    chosen = waiting[:MOST_RUNS] if time.monotonic() < deadline else []
    for result in recovery.recover_each(chosen, load_settings(), last=LOOK if look else None):
        for line in recovery_text.lines(result):
            say(line)
        if time.monotonic() > deadline:
            break
    return set(waiting)


def _settle(fresh: list[Path]) -> bool:
    """Wait until runs that died moments ago are settled or recovered by others; whether there were any."""
    until = time.monotonic() + UNSETTLED_S
    while time.monotonic() < until and any(will_settle(RunPaths(path)) for path in fresh):
        time.sleep(_POLL_S)
    return bool(fresh)


def can_sweep(paths: RunPaths) -> bool:
    """Whether a run is dead, its last watcher has had time to speak, and it may be written here."""
    return condition(paths).found == "dead" and is_settled(paths) and os.access(paths.root, os.W_OK)


def will_settle(paths: RunPaths) -> bool:
    """Whether a run is dead, its last watcher may yet speak, and it may be written here."""
    return condition(paths).found == "dead" and not is_settled(paths) and os.access(paths.root, os.W_OK)


def main() -> int:
    """Sweep, and never mind whether anybody reads what is said."""
    parser = argparse.ArgumentParser(prog="runwatch.record.sweep")
    parser.add_argument("root", type=Path)
    parser.add_argument("--look", action="store_true")
    options = parser.parse_args()
    os.nice(NICENESS)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def say(line: str) -> None:
        try:
            os.write(1, line.encode(errors="backslashreplace") + b"\n")
        except OSError:
            pass  # the recorder that listened is gone

    sweep(options.root, look=options.look, say=say)
    return 0


if __name__ == "__main__":
    sys.exit(main())
