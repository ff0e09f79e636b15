"""One run whose owner is gone: what condition it is in, and finalizing it.

Must not touch a run that is live, or one of another host. Source: finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from runwatch.errors import RunBusy, RunwatchError
from runwatch.finalize import stages
from runwatch.finalize.state import STAGES, FinalizeState, load_state
from runwatch.finalize.whereabouts import first_event, last_time, may_be_starting, other_machine
from runwatch.journal.follow import Follower
from runwatch.journal.lock import Role, RunLock, heartbeat_age_s, holders
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.settings import Settings
from runwatch.sources.survivors import Survivor
from runwatch.vcs import find_work_tree

SCHEMA = 1
"""The newest record that this version writes. Source: README.md, "Where it runs"."""
LOOK = "summary_final"
"""The last stage of commands that only look: they never commit. Source: finalizer.md, "Who finalizes"."""
QUICK_LOOK = "summary"
"""The last stage before the archive, which can take long."""
JUST_BEATEN_S = 0.5
"""A lock file touched so recently may be between its creation and its first lock."""
SETTLED_S = 3.0
"""A run whose journal was written to within this time is left to those who may still be at it."""
OURS = ("events.jsonl", "finalize.json", ".lock", ".reserve", "logs", "metrics.json")
"""What tells a run directory from a folder of somebody else's."""

Found = Literal["dead", "uncommitted", "done", "live", "finalizing", "elsewhere", "newer", "broken", "foreign"]
Done = Literal["finalized", "committed", "nothing", "failed"]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What a run directory turned out to be."""

    found: Found
    """dead: nobody owns it and it is not finalized; uncommitted: finalized in a
    repository that did not take its commit; foreign: no run."""
    reason: str | None = None
    """What is to be said of it, where it is left alone."""


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


def condition(paths: RunPaths, *, force: bool = False) -> Condition:
    """Return what a run directory is, writing nothing; ``force``: what another host recorded is taken for dead."""
    held = holders(paths.lock)
    if Role.OWNER in held or Role.RECORDER in held:
        return Condition(found="live")
    if Role.FINALIZER in held:
        return Condition(found="finalizing", reason=f"process {held[Role.FINALIZER]} is finalizing it")
    state = load_state(paths.finalize_state)
    uncommitted = "commit" in state.stages and not state.done("commit") and find_work_tree(paths.root) is not None
    if state.complete and not uncommitted:
        return Condition(found="done")
    fault = _fault(paths)
    if fault is not None:
        return fault
    if state.outcome is None and may_be_starting(paths):
        return Condition(found="live", reason="it is just starting")
    readable, started = first_event(paths)
    if not readable:
        return Condition(found="broken", reason="its journal holds no event: delete it, or look for a better copy")
    if started is not None and started.schema > SCHEMA:
        return Condition(found="newer", reason="recorded by a newer runwatch: upgrade to finalize it")
    other = None if force or state.outcome is not None else other_machine(paths, started)
    if other is not None:
        return Condition(found="elsewhere", reason=f"recorded on {other}: recover it there, or with --force")
    return Condition(found="uncommitted" if state.complete else "dead")


def _fault(paths: RunPaths) -> Condition | None:
    """Return what keeps a directory from being a run that can be finalized; None for a journal that can be read."""
    try:
        if not stat.S_ISREG(os.lstat(paths.journal).st_mode):
            return Condition(found="broken", reason="its events.jsonl is no regular file")
        os.close(os.open(paths.journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
    except FileNotFoundError:
        if not any(os.path.lexists(paths.root / name) for name in OURS):
            return Condition(found="foreign")
        if paths.metadata.is_file() and not os.path.lexists(paths.lock):
            return Condition(found="done")  # a fresh clone: the tracked files alone
        if may_be_starting(paths):
            return Condition(found="live", reason="it is just starting")
        return Condition(found="broken", reason="it holds no journal: nothing of it was recorded, delete it")
    except OSError as error:
        return Condition(found="broken", reason=f"its events.jsonl cannot be read ({error.strerror})")
    return None


def is_settled(paths: RunPaths) -> bool:
    """Whether nothing was written to the journal for a while.

    A program's guardian that is starting its first recorder holds no lock, and knows better how the program ended.
    """
    try:
        return abs(time.time() - os.stat(paths.journal).st_mtime) > SETTLED_S
    except OSError:
        return False


def needs_look(paths: RunPaths) -> bool:
    """Whether a run is dead, may be written here, and has stages before its commit that nobody tried yet."""
    if condition(paths).found != "dead" or not is_settled(paths) or not os.access(paths.root, os.W_OK):
        return False
    tried = load_state(paths.finalize_state).stages
    return any(name not in tried for name in STAGES[: STAGES.index(LOOK) + 1])


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
    wanted = ("dead", "uncommitted") if last is None else ("dead",)
    if was.found not in wanted:
        return _result(paths, was, "nothing", reason=was.reason)
    left: tuple[Survivor, ...] = ()
    try:
        left = _left_running(paths) if was.found == "dead" else ()
        state = _finalize(paths, settings, was, last=last, on_stage=on_stage)
    except RunBusy as error:
        return _result(paths, Condition(found="finalizing"), "nothing", reason=error.sentence)
    except (RunwatchError, OSError) as error:
        return _result(paths, was, "failed", reason=_sentence(error), left_running=left)
    problems = tuple(
        f"{name}: {stage.error}"
        for name, stage in state.stages.items()
        if not stage.done and not (name == "commit" and find_work_tree(paths.root) is None)
    )
    done: Done = "finalized" if was.found == "dead" else "committed" if state.done("commit") else "failed"
    return _result(paths, was, done, state=state, problems=problems, left_running=left)


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
    from runwatch.sources.survivors import survivors  # psutil, which only this needs

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
