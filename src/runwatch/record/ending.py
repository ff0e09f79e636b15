"""The recorder's part in a run's end: asking for it, ending a command that lost its supervisor, finalizing.

Must not decide a status that somebody else has written.
"""

from __future__ import annotations

import os
import signal
import time

from runwatch.finalize import stages
from runwatch.finalize.publish import closing_lines
from runwatch.finalize.state import FinalizeState, Outcome
from runwatch.fold import Fold
from runwatch.journal.control import request
from runwatch.journal.follow import Follower
from runwatch.journal.paths import RunPaths
from runwatch.record.project import Projector
from runwatch.record.talk import Talk
from runwatch.settings import Settings

GRACE_S = 4.0
"""From SIGHUP to SIGKILL for a command whose supervisor is gone."""


def ask(paths: RunPaths, signal_name: str) -> None:
    """Have the supervisor stop the run, because somebody sent us a polite signal."""
    message = {"op": "stop", "signal": signal_name, "by": f"{signal_name} to the recorder", "person": False}
    request(paths.control, message)


def end_command(pid: int, *, group: bool) -> None:
    """End a command as a closed terminal would: SIGHUP, SIGCONT, and SIGKILL after the grace time."""

    def send(number: int) -> bool:
        try:
            if group:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    if not (send(signal.SIGHUP) and send(signal.SIGCONT)):
        return
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        if not send(0):
            return
        time.sleep(0.05)
    send(signal.SIGKILL)


def finalize(
    paths: RunPaths,
    settings: Settings,
    fold: Fold,
    follower: Follower,
    outcome: Outcome,
    projector: Projector,
    talk: Talk,
) -> FinalizeState:
    """Run every stage of the finalizer over what was folded so far, and say how it went. Raises RunwatchError."""
    finalizer = stages.Finalizer(paths, settings, outcome=outcome, fold=fold, follower=follower, on_line=projector.take)
    state = finalizer.run()
    talk.update(finalizer.metrics)
    talk.lines(closing_lines(paths, color=talk.color))
    return state
