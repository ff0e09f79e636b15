"""One run whose owner is gone: what condition it is in, and finalizing it.

Must not touch a run that is live, or one of another host. Source: finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from runwatch.errors import RunBusy, RunwatchError
from runwatch.finalize import refusal, stages
from runwatch.finalize.condition import Condition, Found, check_writable, condition
from runwatch.finalize.state import FinalizeState, load_state
from runwatch.finalize.whereabouts import last_time, repository_of
from runwatch.journal.follow import Follower
from runwatch.journal.lock import RunLock, heartbeat_age_s
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.settings import Settings
from runwatch.sources.survivors import Survivor, survivors

JUST_BEATEN_S = 0.5
"""A lock file touched so recently may be between its creation and its first lock."""

_POLL_S = 0.05

Done = Literal["finalized", "committed", "nothing", "failed"]


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one run, and done about it."""

    run: str
    """``framework/run_id``."""
    path: str
    """Its directory."""
    found: Found
    """Its condition before."""
    done: Done
    """What was done."""
    status: str | None = None
    """Its final status."""
    reason: str | None = None
    """Why it ended so, why it was left alone, or why it could not be finalized."""
    commit: str | None = None
    """Object id of the commit that holds it."""
    branch: str | None = None
    """Where that is; None on a detached head."""
    uncommitted: str | None = None
    """Why no commit holds it, where one was asked for."""
    problems: tuple[str, ...] = ()
    """What somebody must do something about: stages that failed, each with its reason. A place without git is none."""
    left_running: tuple[Survivor, ...] = ()
    """Its processes that are alive."""


def recover(
    run_dir: Path,
    settings: Settings,
    *,
    force: bool = False,
    last: str | None = None,
    on_stage: Callable[[str, float], None] | None = None,
) -> Recovered:
    """Finalize one run whose owner is gone, up to the stage ``last``: LOOK or QUICK_LOOK for those who only look.

    One that is finalized but for a commit that failed is committed. ``on_stage`` is told the stage at work and how
    much of it is done, 0 to 1. Whatever cannot be done is in the result; nothing is raised for it.
    """
    paths = RunPaths(run_dir)
    if (heartbeat_age_s(paths.lock) or JUST_BEATEN_S) < JUST_BEATEN_S:
        time.sleep(JUST_BEATEN_S)
    was = condition(paths, force=force)
    if was.found == "finalizing" and last is None:  # perhaps by those who only look: they leave the commit to us
        was = _when_let_go(paths, force=force)
        if was.found == "finalizing":
            return _result(paths, was, "failed", reason=was.reason)
    wanted = ("dead", "uncommitted") if last is None else ("dead",)
    if was.found not in wanted:
        return _result(paths, was, "nothing", reason=was.reason)
    left: tuple[Survivor, ...] = ()
    try:
        check_writable(paths)
        left = _left_running(paths) if was.found == "dead" else ()
        state = _finalize(paths, settings, was, last=last, on_stage=on_stage)
    except RunBusy as error:
        done: Done = "nothing" if last is not None else "failed"
        return _result(paths, Condition(found="finalizing"), done, reason=error.sentence)
    except (RunwatchError, OSError) as error:
        return _result(paths, was, "failed", reason=_sentence(error), left_running=left)
    except Exception as error:  # noqa: BLE001 - a mistake of ours about one run must not keep the others from it
        return _result(paths, was, "failed", reason=refusal.sentence(error, paths.root), left_running=left)
    problems = tuple(
        f"{name}: {stage.error}"
        for name, stage in state.stages.items()
        if not stage.done and not (name == "commit" and repository_of(paths) is None)
    )
    done = "finalized" if was.found == "dead" else "committed" if state.done("commit") else "failed"
    return _result(paths, was, done, state=state, problems=problems, left_running=left)


def _when_let_go(paths: RunPaths, *, force: bool) -> Condition:
    """Return a run's condition once nobody finalizes it any more, or as it is when the patience of all is over."""
    deadline = time.monotonic() + stages.LOCK_WAIT_S
    while (was := condition(paths, force=force)).found == "finalizing" and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return was


def _finalize(
    paths: RunPaths,
    settings: Settings,
    was: Condition,
    *,
    last: str | None,
    on_stage: Callable[[str, float], None] | None,
) -> FinalizeState:
    follower = Follower(paths.journal)
    try:
        finalizer = stages.Finalizer(paths, settings, follower=follower, on_stage=on_stage)
        first = "commit" if was.found == "uncommitted" else None
        return finalizer.run(first=first, last=last)
    finally:
        follower.close()
        RunLock.of(paths.lock).close()  # else each of a thousand runs would keep a descriptor open


def _left_running(paths: RunPaths) -> tuple[Survivor, ...]:
    """Return the run's living processes, and note them in its journal while that is open."""
    left = survivors(paths)
    if left and not load_state(paths.finalize_state).done("seal"):
        named = ", ".join(f"process {each.pid} ({each.command})" for each in left)
        message = f"outlived all who watched over the run: {named}"
        writer = EventWriter(paths)
        writer.emit("warning", ts=last_time(paths), message=message, where="recovery")  # it ended then, not now
        writer.close()
    return left


def _result(
    paths: RunPaths,
    was: Condition,
    done: Done,
    *,
    state: FinalizeState | None = None,
    reason: str | None = None,
    problems: tuple[str, ...] = (),
    left_running: tuple[Survivor, ...] = (),
) -> Recovered:
    state = state or load_state(paths.finalize_state)
    outcome, made = state.outcome, state.commit
    return Recovered(
        run=f"{paths.framework}/{paths.run_id}",
        path=str(paths.root),
        found=was.found,
        done=done,
        status=outcome.status if outcome else None,
        reason=reason or (outcome.reason if outcome else None),
        commit=made.sha if made else None,
        branch=made.branch if made else None,
        uncommitted=state.stages["commit"].error if "commit" in state.stages else None,
        problems=problems,
        left_running=left_running,
    )


def _sentence(error: RunwatchError | OSError) -> str:
    if isinstance(error, RunwatchError):
        return error.sentence
    return f"{error.filename or 'disk'}: {error.strerror or error}"
