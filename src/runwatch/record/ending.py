"""The recorder's part in a run's end: asking for it, ending a command that lost its supervisor, finalizing.

Must not decide a status that somebody else has written.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from runwatch.finalize import stages
from runwatch.finalize.confidential import Confidential
from runwatch.finalize.project import Projector
from runwatch.finalize.publish import closing_lines
from runwatch.finalize.state import FinalizeState, Outcome
from runwatch.fold import Fold
from runwatch.journal.control import request
from runwatch.journal.follow import Follower
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.record import leftovers
from runwatch.record.talk import Talk
from runwatch.settings import Settings
from runwatch.sources import run_processes

LEFT = "left behind"
"""Where the warning about processes that go on stands; the closing lines say it again."""


def ask(paths: RunPaths, signal_name: str, owner: int) -> None:
    """Have the supervisor stop the run, because somebody sent us a polite signal.

    One that does not listen, or not yet, gets the signal itself.
    """
    message = {"op": "stop", "signal": signal_name, "by": f"{signal_name} to the recorder", "person": False}
    reply = request(paths.control, message)
    if not reply or not reply.get("ok"):
        with contextlib.suppress(OSError):
            os.kill(owner, getattr(signal, signal_name))


def end_command(command: int, began: Path, settings: Settings) -> None:
    """End a command that lost its supervisor, and what it started; ``command`` is its pid, 0 where nobody knows.

    ``began`` is where the run lay when it started: its environment names that.
    """
    leftovers.end_command(command, began, settings.run.grace_signal_s)


def settle_left(began: Path, settings: Settings, writer: EventWriter) -> None:
    """Name the processes that the command left behind, and end them if so configured."""
    left = run_processes.of_run(began)
    if not left:
        return
    names = run_processes.described(left)
    message = f"the command left processes behind: {names}"
    if settings.run.end_leftovers:
        leftovers.end_left(began, settings.run.grace_signal_s)
        message = f"the command left processes behind, and they were ended: {names}"
    writer.emit("warning", message=message, where=LEFT)


def finalize(
    paths: RunPaths,
    settings: Settings,
    fold: Fold,
    follower: Follower,
    outcome: Outcome,
    projector: Projector,
    talk: Talk,
    *,
    secrets: Confidential,
    ahead: bool = False,
) -> FinalizeState:
    """Run every stage of the finalizer over what was folded so far, and say how it went. Raises RunwatchError.

    ``secrets``: what the recorder knows of them. ``ahead``: whether a helper of ours has archived ahead.
    """
    finalizer = stages.Finalizer(
        paths,
        settings,
        outcome=outcome,
        fold=fold,
        follower=follower,
        projector=projector,
        is_handed_over=ahead,
        secrets=secrets,
    )
    state = finalizer.run()
    talk.update(finalizer.metrics)
    shown = finalizer.publisher.redacted(finalizer.metrics)
    talk.lines(closing_lines(paths, color=talk.color, state=state, metrics=shown))
    return state
