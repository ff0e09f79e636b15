"""Git's own locks that would keep a run's commit from being made: which are held, and by whom.

Must not touch one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from runwatch.finalize.commit_place import Place, Target
from runwatch.finalize.index_lock import IndexLock
from runwatch.runs.doctor.finding import Finding, fault
from runwatch.vcs import Repository, common_dir


def of_branch(place: Place, target: Target) -> Iterator[Finding]:
    """Yield the locks that keep the branch from moving; HEAD's log is written with that of its branch."""
    shared = common_dir(place.git_dir)
    locks = [shared / f"{target.ref}.lock", shared / "reftable/tables.list.lock"]
    if target.checked_out or place.bare:
        locks.append(place.git_dir / "HEAD.lock")
    yield from (_held(str(path)) for path in dict.fromkeys(locks) if os.path.lexists(path))


def of_indexes(repo: Repository, place: Place) -> Iterator[Finding]:
    """Yield the locks of the indexes that must agree with the commit."""
    for index in () if place.bare else place.indexes:
        lock = IndexLock(repo, place, index)
        if lock.is_held():
            yield _held(lock.path)


def _held(path: str) -> Finding:
    return fault("commit", f"{path} is held {_since(path)}", _release(path))


def _since(path: str) -> str:
    try:
        age = time.time() - os.lstat(path).st_mtime
    except OSError:
        return "for a moment"
    pid = _opener(path)
    return f"for {age:.0f} s by {f'process {pid}' if pid else 'nobody that can be seen'}"


def _release(path: str) -> str:
    pid = _opener(path)
    return f"wait for process {pid}" if pid else f"rm {path}, if no git command is at work"


def _opener(path: str) -> int | None:
    """Return a process that has a file open; None where none can be seen."""
    wanted = os.path.realpath(path)
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                if any(os.readlink(f"/proc/{name}/fd/{fd}") == wanted for fd in os.listdir(f"/proc/{name}/fd")):
                    return int(name)
            except OSError:
                continue
    return None
