"""The ignore file of a run: there until its commit, so that a live run never shows up in the user's work.

Must not touch any other ignore file. Source: record.md, "The run directory".
"""

from __future__ import annotations

from runwatch.finalize.whereabouts import work_tree_of
from runwatch.journal.atomic import write_atomic
from runwatch.journal.paths import RunPaths
from runwatch.vcs import is_ignored, is_tracked

_ALL = b"*\n"


def lift(paths: RunPaths, *, committed: bool) -> None:
    """Take the run's own ignore file away once its commit is made and other rules keep the rest out of sight.

    It stays where the commit is on a branch that is not checked out: the summaries would show up as untracked.
    """
    if not committed or not paths.ignore.exists():
        return
    work_tree = work_tree_of(paths)
    if work_tree is None or not is_tracked(work_tree, paths.metadata):
        return
    paths.ignore.unlink(missing_ok=True)
    if not is_ignored(work_tree, paths.journal):
        write_atomic(paths.ignore, _ALL)
