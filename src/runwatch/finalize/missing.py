"""Tracked files that are not on disk though their stages are done: deleted, or taken away by git with their branch.

Must not write any: the finalizer repeats those stages. Source: finalizer.md, "Promised, whatever ends it" 3.
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.finalize.state import FinalizeState
from runwatch.finalize.whereabouts import work_tree_of
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.vcs import head_of

_WRITTEN_BY = {"metrics.json": "fold"}
"""File to the stage that writes it last; all others are written by ``summary_final``."""


def stages_to_repeat(paths: RunPaths, state: FinalizeState, mode: str) -> list[str]:
    """Return the stages to do again, in order; with commit mode ``current`` none where another branch is checked out.

    There git took the files away, and would not switch back over files that it does not track.
    """
    lost = {_WRITTEN_BY.get(file.name, "summary_final") for file in _missing(paths)}
    stages: list[str] = [stage for stage in ("fold", "summary_final") if stage in lost and state.done(stage)]
    return stages if stages and not away(paths, state, mode) else []


def away(paths: RunPaths, state: FinalizeState, mode: str) -> list[Path]:
    """Return the files that are not there because another branch is checked out than the one that has them."""
    gone = _missing(paths)
    return gone if gone and mode == "current" and _has_another_branch(paths, state) else []


def take_away(files: list[Path], paths: RunPaths, state: FinalizeState) -> None:
    """Delete those files again, which stages have written for the archive and the commit. Raises OSError."""
    if files and _has_another_branch(paths, state):
        for file in files:
            file.unlink(missing_ok=True)


def _missing(paths: RunPaths) -> list[Path]:
    return [paths.root / name for name in TRACKED if not os.path.lexists(paths.root / name)]


def _has_another_branch(paths: RunPaths, state: FinalizeState) -> bool:
    if state.commit is None:
        return False
    work_tree = work_tree_of(paths)
    return work_tree is not None and head_of(work_tree.git_dir).branch != state.commit.branch
