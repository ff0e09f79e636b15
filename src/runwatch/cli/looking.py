"""What commands that only look do about runs whose owner is gone: have them recovered, never committed, and say so.

Must not wait for that, nor fail where nothing can be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from runwatch.journal.paths import RunPaths
from runwatch.runs.standing import Standing, standing
from runwatch.visible import visible

MOST_REMARKS = 3
"""So many runs are named one by one."""


def look_after(run_dirs: Iterable[Path]) -> None:
    """Say what is the matter with each of these runs, and have dead ones recovered in the background, uncommitted."""
    found = [(path, standing(RunPaths(path))) for path in run_dirs]
    told = [(path, now) for path, now in found if now.remark]
    for path, now in told[:MOST_REMARKS]:
        remark(path, now)
    if len(told) > MOST_REMARKS:
        more = len(told) - MOST_REMARKS
        click.echo(f"runwatch: {more} more need somebody: `runwatch recover` says what each of them needs.", err=True)
    recover_behind({path.parent.parent for path, now in found if now.recoverable})


def remark(run_dir: Path, now: Standing) -> None:
    """Say on stderr what is the matter with a run; nothing where nothing is."""
    if now.remark:
        click.echo(f"runwatch: {visible(f'{run_dir.parent.name}/{run_dir.name}: {now.remark}')}.", err=True)


def recover_behind(roots: Iterable[Path]) -> None:
    """Start recovering, without any commit, what is dead below these runs folders; returns at once."""
    for root in roots:
        from runwatch.record import background

        try:
            background.start(root, look=True)
        except OSError:
            pass  # looking goes on; the remark names the command that says why
