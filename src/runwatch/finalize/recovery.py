"""Runs whose owner is gone: finding them and finalizing them.

Must not touch a run that is live, or one of another host.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Literal

import msgspec

from runwatch.errors import RunwatchError
from runwatch.events.lifecycle import RunStarted
from runwatch.finalize import stages
from runwatch.finalize.state import load_state
from runwatch.journal.follow import events
from runwatch.journal.lock import is_live
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings

Found = Literal["finalized", "live", "elsewhere", "failed"]


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one run, and done about it."""

    run: str
    """``framework/run_id``."""
    found: Found
    """finalized, live, elsewhere (recorded on another host) or failed."""
    status: str | None = None
    """Its final status."""
    reason: str | None = None
    """Why it ended so, or why it could not be finalized."""


def needs_recovery(paths: RunPaths) -> bool:
    """Whether a run has a journal, no living owner, and a finalizer that did not come to its end."""
    return paths.journal.is_file() and not load_state(paths.finalize_state).complete and not is_live(paths.lock)


def recover(run_dir: Path, settings: Settings, *, force: bool = False) -> Recovered:
    """Finalize one run whose owner is gone, commit included; ``force``: even one that another host recorded."""
    paths = RunPaths(run_dir)
    name = f"{paths.framework}/{paths.run_id}"
    if is_live(paths.lock):
        return Recovered(run=name, found="live")
    host = recorded_on(paths)
    if host and host != platform.node() and not force:
        return Recovered(run=name, found="elsewhere", reason=f"recorded on {host}: recover it there, or with --force")
    try:
        state = stages.run(run_dir, settings)
    except (RunwatchError, OSError) as error:
        return Recovered(run=name, found="failed", reason=str(error))
    outcome = state.outcome
    return Recovered(
        run=name,
        found="finalized",
        status=outcome.status if outcome else None,
        reason=outcome.reason if outcome else None,
    )


def recorded_on(paths: RunPaths) -> str | None:
    """Return the host that a run was recorded on, from its first event."""
    _, first = next(events(paths.journal), (0, None))
    return first.host if isinstance(first, RunStarted) else None
