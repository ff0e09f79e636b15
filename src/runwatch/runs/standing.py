"""How a run that has no final status in its tracked files stands now, for those who only look.

Must not write anything, nor load what finalizing needs. Source: finalizer.md, "Who finalizes".
"""

from __future__ import annotations

from typing import NamedTuple

from runwatch.finalize.condition import Condition, condition, needs_look
from runwatch.finalize.state import load_state
from runwatch.finalize.whereabouts import how_lost
from runwatch.journal.lock import STALLED_S, Role, heartbeat_age_s, holders
from runwatch.journal.paths import RunPaths
from runwatch.units import duration_short

CRASHED = "crashed"
"""The status of a run that nobody saw the end of. Source: finalizer.md, "Promised, whatever ends it" 2."""


class Standing(NamedTuple):
    """What is to be shown of a run."""

    live: bool = False
    """Whether it goes on."""
    status: str | None = None
    """How it ended, or what else it is; None for a live one, and where its own files say it."""
    reason: str | None = None
    """One line for people."""
    stalled_s: float | None = None
    """For how long its recorder has given no sign; None while it does."""
    remark: str | None = None
    """What is the matter with it and which command does something about it; None where nothing is."""
    recoverable: bool = False
    """Whether status, summary or archive can be recovered here and now; never the commit."""


def standing(paths: RunPaths) -> Standing:
    """Return how a run stands."""
    was = condition(paths)
    if was.found == "live":
        return _live(paths)
    if was.found == "finalizing":
        outcome = load_state(paths.finalize_state).outcome
        return Standing(status=outcome.status if outcome else "finalizing", reason=outcome.reason if outcome else None)
    if was.found == "dead":
        return _dead(paths)
    if was.found in ("elsewhere", "newer", "broken"):
        return _apart(paths, was)
    return Standing(remark=was.reason)


def stalled_s(paths: RunPaths) -> float | None:
    """Return for how many seconds no recorder has given a sign in a live run; None while one does.

    One that was stopped in its first moments holds no lock: the lock file is as old as its owner's start then.
    """
    if load_state(paths.finalize_state).outcome is not None:
        return None  # a finalizer has more to do than to leave heartbeats
    age = heartbeat_age_s(paths.lock)
    return age if age is not None and age > STALLED_S else None


def _live(paths: RunPaths) -> Standing:
    age = stalled_s(paths)
    if age is None:
        return Standing(live=True)
    held = holders(paths.lock)
    for_long = duration_short(age)
    if Role.RECORDER in held:
        what = f"its recorder ({_named(held[Role.RECORDER])}) has been stalled for {for_long}"
    elif Role.OWNER in held:
        what = f"no recorder has given a sign for {for_long}"
    else:
        return Standing(
            live=True, stalled_s=age, remark=f"it has not begun, for {for_long}: `runwatch doctor` looks why"
        )
    return Standing(live=True, stalled_s=age, remark=f"{what}: the command goes on and its output is kept")


def _named(pid: int) -> str:
    return f"process {pid}" if pid else "a process of another container"


def _dead(paths: RunPaths) -> Standing:
    outcome = load_state(paths.finalize_state).outcome
    reason = (outcome.reason if outcome else None) or how_lost(paths)
    recoverable = needs_look(paths)
    what = "finalizes and commits it" if recoverable else "does what is left, commit included"
    return Standing(
        status=outcome.status if outcome else CRASHED,
        reason=reason,
        remark=f"nobody finalizes it any more: `runwatch recover` {what}",
        recoverable=recoverable,
    )


def _apart(paths: RunPaths, was: Condition) -> Standing:
    age = heartbeat_age_s(paths.lock)
    if was.found == "elsewhere" and age is not None and age <= STALLED_S:
        return Standing(live=True, reason=was.reason)
    return Standing(status=was.found, reason=was.reason, remark=was.reason)
