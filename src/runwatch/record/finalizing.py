"""Waiting until the recorder has finalized the run: in silence while it works, said and left when it stands still.

Must not interrupt a finalizer that is at work; its imports are the supervisor's, and pinned.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from runwatch.record.keeper import Keeper

TICK_S = 0.5
STOPPED_S = 2.0
"""A recorder that is stopped for so long is said to be."""
HUNG_S = 10.0
"""One that waits for a disk: those that answer at all do so sooner."""
PRESSES = 2
"""So many Ctrl-C leave a recorder that stands still; of any other polite signal, and of a `runwatch stop`, one does."""
_SAID = {
    "stopped": "the recorder (process {pid}) is stopped and cannot finalize the run: `kill -CONT {pid}` lets it go on, "
    "SIGTERM or Ctrl-C twice leaves it.",
    "hung": "the recorder (process {pid}) waits for a disk that does not answer: SIGTERM or Ctrl-C twice leaves it.",
}


def wait(
    keeper: Keeper, waited: set[Any], polite: Callable[[], bool], say: Callable[[str], None], *, tick_s: float = TICK_S
) -> None:
    """Wait until the keeper's recorder has finalized, or somebody asks a recorder that stands still to be left.

    ``waited`` are the signals to take, ``polite`` tells whether a client asked for the end since it was called last. A
    recorder that is left is killed, so that `runwatch finalize` finds the run free; every stage can be repeated.
    """
    since: tuple[str, float] | None = None
    said = False
    asked = 0
    while (pid := keeper.pid) is not None:
        info = signal.sigtimedwait(waited, tick_s)
        keeper.reap()
        how = _stands_still(pid)  # one that has just ended does not
        if how is None:
            since, said, asked = None, False, 0
            polite()
            continue
        if since is None or since[0] != how:
            since = (how, time.monotonic())
        if polite() or (info is not None and info.si_signo in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)):
            asked = PRESSES
        elif info is not None and info.si_signo == signal.SIGINT:
            asked += 1
        if time.monotonic() - since[1] < (STOPPED_S if how == "stopped" else HUNG_S):
            continue
        if not said:
            said = True
            say(_SAID[how].format(pid=pid))
        if asked >= PRESSES:
            keeper.abandon()


def _stands_still(pid: int) -> str | None:
    """Return ``stopped`` or ``hung`` of a process that is; None of one at work, and where nobody can know."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        state = os.read(fd, 4096).rpartition(b")")[2][1:2]
    except OSError:
        return None
    finally:
        os.close(fd)
    return {b"T": "stopped", b"t": "stopped", b"D": "hung"}.get(state)
