"""Ending a run that a program recorded by itself: goodbye to the guardian, or finalizing right here.

Must not decide how the run ended.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from runwatch.errors import RunwatchError
from runwatch.events.notices import Degraded
from runwatch.finalize.state import FinalizeState, Outcome, load_state
from runwatch.journal.losses import Loss
from runwatch.sdk import active
from runwatch.sdk.clock import text_of
from runwatch.sdk.guard import Guardian
from runwatch.sdk.opening import Started
from runwatch.sdk.trouble import say


def end_alone(
    started: Started,
    guardian: Guardian | None,
    status: str,
    reason: str | None,
    signal_name: str | None,
    wait_s: float,
) -> None:
    """Close the journal, have the run finalized, and give its lock back. Waits ``wait_s`` seconds at most."""
    emitter = started.emitter
    assert emitter.paths is not None
    ended = text_of(time.time())
    emitter.own_secrets.look()
    emitter.settle_accounts()
    emitter.follow()
    emitter.close()
    active.ended(emitter)
    started.teller.close()
    try:
        state = _by_guardian(started, guardian, status, reason, signal_name, wait_s)
        if state is None:
            state = _here(started, Outcome(status=status, signal=signal_name, reason=reason, ended=ended))
        _tell_failures(state)
        _tell_losses(emitter.losses.loss())
    finally:
        if started.lock is not None:
            if started.lock.is_open:
                with contextlib.suppress(OSError):
                    started.lock.note(b"")  # what this program does from now on is not of the run
            started.lock.close()


def _by_guardian(
    started: Started,
    guardian: Guardian | None,
    status: str,
    reason: str | None,
    signal_name: str | None,
    wait_s: float,
) -> FinalizeState | None:
    """Say goodbye and wait; None where the guardian cannot do it."""
    paths = started.emitter.paths
    if guardian is None or paths is None:
        return None
    message: dict[str, Any] = {"op": "end", "status": status, "reason": reason, "signal": signal_name}
    sink = started.emitter.sink
    if sink is not None and sink.untold is not None:  # the journal had no room to say so
        message["lost"] = sink.untold
    try:
        if not guardian.say_goodbye(message):
            return None
        if not guardian.wait(wait_s):
            say(f"run {paths.run_id} is still being finalized, in the background.")
            return load_state(paths.finalize_state)
        state = load_state(paths.finalize_state)
        return state if state.complete or "done" in state.stages else None
    finally:
        guardian.close()


def _here(started: Started, outcome: Outcome) -> FinalizeState | None:
    """Finalize in this process: without a guardian there is nobody else."""
    paths = started.emitter.paths
    assert paths is not None
    from runwatch.finalize import stages  # heavy, and seldom needed here

    try:
        return stages.run(paths.root, started.settings, outcome=outcome)
    except (RunwatchError, OSError) as error:
        say(f"{error} `runwatch finalize {paths.run_id}` does it.")
        return None


def _tell_failures(state: FinalizeState | None) -> None:
    """Say which stages failed, once for all that failed for the same reason."""
    if state is None:
        return
    failed = [(name, stage) for name, stage in state.stages.items() if not stage.done and stage.error]
    for reason in dict.fromkeys(stage.error or "" for _, stage in failed):
        names = [name for name, stage in failed if stage.error == reason]
        remedy = next((stage.remedy for _, stage in failed if stage.error == reason and stage.remedy), None)
        repeats = (
            "" if remedy is None or remedy in reason else f"; `{remedy}` repeats {'it' if len(names) == 1 else 'them'}"
        )
        say(f"{', '.join(names)}: {reason.rstrip('.') if repeats else reason}{repeats}{'.' if repeats else ''}")


def _tell_losses(loss: Loss | None) -> None:
    if loss is None:
        return
    from runwatch.fold.losses import in_words  # seldom needed

    lost = Degraded(dropped=loss.events, log_lines=loss.log_lines)
    say(f"degraded: {in_words(lost)} since {loss.since}.")
