"""What a recorder that was killed in the middle of a commit left in a work tree's git folder.

Must not touch a lock that is not known as ours, and is called under the RecorderLock only: whatever bears our name
then belongs to nobody alive.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from runwatch.finalize.commit_place import Place
from runwatch.finalize.index_lock import OTHERS, PREFIX, sweep
from runwatch.vcs import Repository, common_dir

_STILL_S = 0.1
"""A git command has a ref locked for some milliseconds; what lies longer than this is a dead one's."""
_SOON_S = 5.0
"""So soon after our own file a ref is locked, unless the machine slept: an empty lock later than that is not ours."""
_MOST_LOCK_BYTES = 128


def clear(repo: Repository, place: Place) -> None:
    """Finish or undo what was left, then sweep our own files. Raises OSError, GitError."""
    waiting = [Path(os.path.realpath(index)) for index in place.indexes]
    seen: set[Path] = set()
    left: set[Path] = set()
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        found = {own for folder in (index.parent, place.git_dir) for own in folder.glob(f"{PREFIX}*")}
        found = {own for own in found if own.parent == place.git_dir or _is_mine(own)}
        waiting += [other for own in found for other in _others(own)]
        left |= found
    if left:
        _clear_ref_locks(place, sorted(left))
    for index in sorted(seen):
        _clear_index(repo, index, sorted(left))
    for own in left:
        sweep(own)


def _is_mine(own: Path) -> bool:
    """Whether a folder belongs to this user: an index may lie where everybody can make folders."""
    try:
        return os.lstat(own).st_uid == os.geteuid()
    except OSError:
        return False


def _others(own: Path) -> list[Path]:
    """Return the other indexes that changed together with the one that a folder of ours belongs to."""
    try:
        said = (own / OTHERS).read_bytes()
    except OSError:
        return []
    paths = (Path(os.path.realpath(os.fsdecode(path))) for path in said.split(b"\0") if path)
    return [path for path in paths if path.parent.is_dir()]


def _clear_index(repo: Repository, index: Path, left: list[Path]) -> None:
    """Put the index in place that goes with a branch that has moved; take a lock of ours away."""
    lock = index.with_name(f"{index.name}.lock")
    for own in left:
        if any(_same(file, lock) for file in own.glob("*")):
            if os.lstat(lock).st_size and _landed(repo, own):  # an empty one only kept others away
                os.rename(lock, index)  # the branch has moved: this is the index that goes with it
            else:
                os.unlink(lock)
    claimant = _claimant(lock)
    if claimant is not None:
        if claimant.exists() and _landed(repo, claimant.parent):
            os.rename(claimant, index)
        os.unlink(lock)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False


def _claimant(lock: Path) -> Path | None:
    """Return the index that a lock names, where links cannot be made; an index itself never begins like that."""
    said = _content(lock)
    return (
        lock.with_name(os.fsdecode(said)) / "index" if said.startswith(PREFIX.encode()) and b"/" not in said else None
    )


def _content(path: Path) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            return file.read(_MOST_LOCK_BYTES)
    except OSError:
        return b""


def _landed(repo: Repository, own: Path) -> bool:
    """Whether HEAD holds the commit that a folder of ours is named after."""
    commit = own.name.rpartition("-")[2]
    if not commit.isalnum() or repo.head().sha is None:
        return False
    known = repo.plumbing("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", check=False).strip()
    return bool(known) and repo.plumbing("merge-base", known, "HEAD", check=False).strip() == known


def _clear_ref_locks(place: Place, left: list[Path]) -> None:
    """Take away the ref locks that our `git update-ref` left when it was killed together with the recorder.

    Known by our commit in them, or by being empty and as old as what else we left: HEAD's is, and any other before it
    is filled. One that a living command holds is gone, or another file, a moment later.
    """
    stale = [(path, os.lstat(path)) for path in _ref_locks(place) if _is_ours(path, left)]
    if not stale:
        return
    time.sleep(_STILL_S)
    for path, found in stale:
        if _unchanged(path, found):
            path.unlink(missing_ok=True)


def _ref_locks(place: Place) -> Iterator[Path]:
    yield place.git_dir / "HEAD.lock"
    yield from (common_dir(place.git_dir) / "refs" / "heads").rglob("*.lock")


def _is_ours(lock: Path, left: list[Path]) -> bool:
    try:
        size, made = os.lstat(lock).st_size, os.lstat(lock).st_mtime
        said = _content(lock).strip()
        names = {os.fsencode(own.name.rpartition("-")[2]) for own in left}
        since = [made - os.lstat(own).st_mtime for own in left]
    except OSError:
        return False
    return said in names if size else any(-_STILL_S <= age <= _SOON_S for age in since)


def _unchanged(path: Path, found: os.stat_result) -> bool:
    try:
        now = os.lstat(path)
    except OSError:
        return False
    return (now.st_ino, now.st_mtime_ns, now.st_size) == (found.st_ino, found.st_mtime_ns, found.st_size)
