"""What a recorder that was killed in the middle of a commit left in a work tree's git folder.

Must not touch a lock that is not known as ours, and is called under the RecorderLock only: whatever bears our name
then belongs to nobody alive.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runwatch.finalize.commit_place import NotNow, Place
from runwatch.finalize.index_lock import OTHERS, PREFIX, IndexLock, sweep
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
    kept: set[Path] = set()
    for index in sorted(seen):
        _clear_index(repo, index, sorted(left))
        kept |= {own for own in left if not _agreed(repo, place, index, own)}
    for own in left - kept:
        sweep(own)


def _agreed(repo: Repository, place: Place, index: Path, own: Path) -> bool:
    """Have an index agree whose lock was removed by hand, as git advises, after the branch had moved; False: not now.

    What the branch has meanwhile lost again stays lost.
    """
    prepared = own / "index"
    if own.parent != index.parent or not prepared.exists() or _same(prepared, index) or not _landed(repo, own):
        return True
    commit = own.name.rpartition("-")[2]
    env = {"GIT_LITERAL_PATHSPECS": "1"}
    listed = repo.plumbing("diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-only", commit)
    paths = [path for path in listed.split("\0") if path and (place.work_tree / path).is_file()]
    if not paths:
        return True
    trees = repo.plumbing("ls-tree", "-r", "-z", "HEAD", "--", *paths, env=env).split("\0")
    there = {path: about.split(" ")[2] for about, _, path in (entry.partition("\t") for entry in trees if entry)}
    staged = repo.plumbing("ls-files", "-z", "--", *paths, env={**env, "GIT_INDEX_FILE": str(index)}).split("\0")
    missing = [path for path in there if path not in staged]
    if not missing:
        return True
    folder = Path(missing[0]).parent  # a run's files lie side by side
    names = tuple(Path(path).name for path in missing)
    run = msgspec.structs.replace(place, root=place.work_tree / folder, folder=folder.parts, names=names)
    lock = IndexLock(repo, run, index)
    try:
        lock.begin()
        lock.finish({Path(path).name: there[path] for path in missing}, commit)
        lock.take()
        if not lock.fresh:
            return False
        lock.install()
    except NotNow:
        return False
    finally:
        lock.release()
    return True


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
