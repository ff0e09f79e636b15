"""All indexes that must agree with the branch that is checked out, changed as one.

Must not know how one is changed. That is the work tree's own, and the one that the user's GIT_INDEX_FILE names: the
next plain `git commit` with either would take out again what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping

from runwatch.finalize.commit_place import Place
from runwatch.finalize.index_lock import IndexLock
from runwatch.vcs import Repository


class IndexLocks:
    """As IndexLock: begin(), finish(), take(), then install() or release(). Raises OSError, GitError, NotNow too.

    Whoever is killed with one of them in place and the other not leaves the lock of that one, which is known as ours.
    """

    def __init__(self, repo: Repository, place: Place) -> None:
        self._others = place.indexes[1:]
        self._locks = [IndexLock(repo, place, index) for index in place.indexes]

    def check_free(self) -> None:
        """Raise NotNow where somebody else holds a lock."""
        for lock in self._locks:
            if not lock.taken and lock.is_held():
                raise lock.held()

    def are_held(self) -> bool:
        """Whether somebody holds one of the locks."""
        return any(lock.is_held() for lock in self._locks)

    def begin(self) -> None:
        """Start to write the new indexes beside the old ones."""
        self.check_free()
        self._locks[0].tell(self._others)
        for lock in self._locks:
            lock.begin()

    def finish(self, blobs: Mapping[str, str], commit: str) -> None:
        """Bring the new indexes to their end."""
        for lock in self._locks:
            lock.finish(blobs, commit)

    def take(self) -> None:
        """Take every lock that is not taken."""
        self._locks[0].tell(self._others)
        for lock in self._locks:
            if not lock.taken:
                lock.take()

    def renew(self) -> None:
        """Start again from the indexes as they are now, under their locks."""
        for lock in self._locks:
            lock.renew()

    def mark(self, commit: str) -> None:
        """Leave our name and a commit's where no index is touched."""
        self._locks[0].mark(commit)

    @property
    def taken(self) -> bool:
        """Whether every lock is ours now."""
        return all(lock.taken for lock in self._locks)

    @property
    def fresh(self) -> bool:
        """Whether the indexes are still those that were copied."""
        return all(lock.fresh for lock in self._locks)

    def install(self) -> None:
        """Make the prepared indexes the real ones."""
        for lock in self._locks:
            lock.install()

    def release(self) -> None:
        """Give the locks back, and forget what was prepared."""
        for lock in self._locks:
            lock.release()
