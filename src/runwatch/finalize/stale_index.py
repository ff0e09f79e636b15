"""What a recorder that was killed in the middle of a commit left in a work tree's git folder.

Must not touch a lock that is not known as ours, and is called under the RecorderLock only: whatever bears our name
then belongs to nobody alive.
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.finalize.commit_place import Place
from runwatch.finalize.index_lock import PREFIX
from runwatch.vcs import Repository


def clear(repo: Repository, place: Place) -> None:
    """Finish or undo what was left, then sweep our own files. Raises OSError, GitError."""
    index = Path(os.path.realpath(place.git_dir / "index"))
    lock = index.with_name(f"{index.name}.lock")
    for own in sorted(place.git_dir.glob(f"{PREFIX}*")):
        if _same(own, lock):
            if _landed(repo, own.name.rpartition("-")[2]):
                os.rename(lock, index)  # the branch has moved: this is the index that goes with it
            else:
                os.unlink(lock)
        own.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False


def _landed(repo: Repository, commit: str) -> bool:
    """Whether HEAD holds a commit."""
    if not commit.isalnum() or repo.head().sha is None:
        return False
    known = repo.plumbing("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", check=False).strip()
    return bool(known) and repo.plumbing("merge-base", known, "HEAD", check=False).strip() == known
