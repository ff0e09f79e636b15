"""Which stages wrote the tracked files that are not on disk any more, though the stages are done.

Must not write anything: the finalizer repeats those stages. Source: finalizer.md, "Promised, whatever ends it" 3.
"""

from __future__ import annotations

import os

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
    lost = {_WRITTEN_BY.get(name, "summary_final") for name in TRACKED if not os.path.lexists(paths.root / name)}
    stages: list[str] = [stage for stage in ("fold", "summary_final") if stage in lost and state.done(stage)]
    if not stages or state.commit is None or mode != "current":
        return stages
    work_tree = work_tree_of(paths)
    return stages if work_tree is None or head_of(work_tree.git_dir).branch == state.commit.branch else []
