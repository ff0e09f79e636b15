"""One commit with exactly the tracked files of a run, and everything else in the repository as it was.

Must not touch the work tree or any other entry of the index. Source: finalizer.md,
"The commit". The order of the steps, and what each leaves behind when it is killed, is in `attempt`.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec

from runwatch.errors import CommitError
from runwatch.finalize import commit_hooks, stale_index
from runwatch.finalize.commit_message import Message
from runwatch.finalize.commit_objects import Objects, Store, Stored
from runwatch.finalize.commit_place import NotNow, Place, Target, find_place, find_target
from runwatch.finalize.git_said import explain
from runwatch.finalize.index_locks import IndexLocks
from runwatch.finalize.recorder_lock import LockHeld, RecorderLock
from runwatch.finalize.ref_update import RefUpdate
from runwatch.finalize.users_commit import commit_around, find_commit, find_commits, outlasting
from runwatch.settings.groups import Commit as CommitSettings
from runwatch.vcs import GitError, GitVariables, Repository, read_ref

__all__ = ["CommitOptions", "CommitResult", "Message", "commit_run", "options"]

_BACK_OFF_S = (0.005, 0.25)
"""First and longest wait between two tries; each is twice the one before, less up to half by chance."""
_PATIENT_TRIES = 3
"""So often may the index or the branch change under our hands; then what changed is made anew under the lock."""
_UNDER_LOCK_S = 0.02
"""So long, with the index locked, do we wait for those to end who had begun to commit before."""


class CommitOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the commit is made."""

    mode: str = "current"
    """off, current (the branch that is checked out), or the name of a branch."""
    sign: bool = False
    """Sign it as git is configured to."""
    hooks: bool = False
    """Run the repository's commit hooks."""
    author: str | None = None
    """Author as "Name <mail>"; None: git's own identity."""
    patience_s: float = 10.0
    """How long a held lock or a moving branch is waited for, in seconds."""


class CommitResult(msgspec.Struct, frozen=True, kw_only=True):
    """The commit that holds the run."""

    sha: str
    """Object id in hex."""
    branch: str | None
    """Where it is; None on a detached head."""
    made: bool
    """False when it was there already."""


def options(settings: CommitSettings) -> CommitOptions:
    """Return what the configuration says of commits."""
    return CommitOptions(mode=settings.mode, sign=settings.sign, hooks=settings.hooks, author=settings.author)


_DEFAULT = CommitOptions()


def commit_run(
    run_dir: Path,
    files: Iterable[Path | str],
    message: Message | str,
    options: CommitOptions = _DEFAULT,
    *,
    ended_on: str | None = None,
    user: GitVariables | None = None,
    within: tuple[int, ...] = (),
    environ: Mapping[str, str] = os.environ,
) -> CommitResult | None:
    """Commit those of ``files`` that exist in a run directory; return the commit, None where commits are off.

    ``ended_on`` is the branch that was checked out when the run ended: the current one, whatever is checked out now.
    ``user`` is what the user's environment named when it started. ``within``: processes that wait for this one, such as
    the program that recorded itself; a `git commit` that waits for any of them is told from all others.

    May be called again at any time: a branch that has the files as they are now is left alone and the commit that
    brought them is returned. Raises CommitError, with what to do about it, where the repository cannot take a commit.
    """
    if options.mode == "off":
        return None
    place = find_place(run_dir, files, user)
    text = message if isinstance(message, str) else message.text()
    deadline = time.monotonic() + options.patience_s
    try:
        with Repository(place.work_tree, named=place.named, git_dir=place.git_dir) as repo:
            job = Job(repo, place, text, options, environ, ended_on, within)
            job.check_around()
            if options.hooks:
                job.ask_hooks()
                deadline = time.monotonic() + options.patience_s
            with RecorderLock(place.git_dir, deadline), job.objects:
                stale_index.clear(repo, place)
                result = _until(job, deadline)
            if options.hooks and result.made:
                commit_hooks.tell(repo)
            return result
    except LockHeld:
        raise place.refuse(f"another recorder has been committing in {place.called} all the time") from None
    except GitError as error:
        raise explain(place, error, sign=options.sign) from error
    except OSError as error:
        raise place.refuse(
            f"{place.git_dir} cannot be written: {error.strerror or error}", "make it writable"
        ) from error


def _until(job: Job, deadline: float) -> CommitResult:
    wait_s = _BACK_OFF_S[0]
    tries = 0
    while True:
        tries += 1
        try:
            return job.attempt(insist=tries > _PATIENT_TRIES)
        except NotNow as error:
            if time.monotonic() + wait_s > deadline:
                raise job.place.refuse(f"{error.why} (tried {tries} times)", error.remedy) from error
            pid = error.pid
        pause_s = wait_s * random.uniform(0.5, 1.0)
        if pid is None:
            time.sleep(pause_s)
        else:
            outlasting([pid], pause_s)  # the best moment is right behind it
        wait_s = min(2 * wait_s, _BACK_OFF_S[1])


class Job:
    """One commit to be made, over as many attempts as it takes."""

    def __init__(
        self,
        repo: Repository,
        place: Place,
        text: str,
        options: CommitOptions,
        environ: Mapping[str, str],
        ended_on: str | None = None,
        within: tuple[int, ...] = (),
    ) -> None:
        self.repo, self.place, self.text, self.options, self.environ = repo, place, text, options, environ
        self.ended_on, self.within = ended_on, within
        self.objects = Objects(repo, place)
        self._store = Store(repo, place, author=options.author, sign=options.sign)

    def check_around(self) -> None:
        """Raise CommitError where a `git commit` that this would spoil, or whose lock it needs, waits for this run."""
        pid = commit_around(self.place.work_tree, self.place.git_dir, within=self.within)
        if pid is None or not (self._target().checked_out or IndexLocks(self.repo, self.place).are_held()):
            return
        raise CommitError(
            f"a `git commit` (process {pid}) in {self.place.work_tree} waits for this run, which one of its hooks or "
            f"its editor started: let it end, then `runwatch recover`, or `runwatch finalize {self.place.run_id}`, "
            "commits it later."
        )

    def ask_hooks(self) -> None:
        """Have the repository's commit hooks agree, and take their message over."""
        self.text = commit_hooks.ask(self.repo, self.place, self._target().tip, self.text)

    def attempt(self, *, insist: bool) -> CommitResult:
        """Try once. Raises NotNow when trying again may help.

        All is prepared before the index is locked. What has changed by then ends the try, since a lock of some
        milliseconds is in somebody's way; or, to ``insist``, is made anew under the lock.

        Killed before the branch moves, nothing has happened but a lock that `stale_index` knows as ours. Killed after
        that, the lock holds the index that goes with the branch, and is put in its place.
        """
        target = self._target()
        with ExitStack() as undo:
            index = IndexLocks(self.repo, self.place)
            undo.callback(index.release)
            if target.checked_out:
                self._check_free(index, set())
            self.objects.start()
            update = undo.enter_context(RefUpdate(self.repo, self.text.partition("\n")[0]))
            target = self._target()  # as late as can be: what moves from here on was prepared for in vain
            if target.checked_out:
                index.begin()
            check = None if insist or not target.checked_out else partial(self._still, index, target, set())
            stored = self._store.on(target.tip, self.text, self.objects, check)
            if stored.commit is None:
                return self._found(target)
            if target.checked_out:
                index.finish(stored.blobs, stored.commit)
                if insist:
                    target, stored = self._prepared_under_lock(index, target, stored)
            if stored.commit is None:
                return self._found(target)
            land = self._land_with_index if target.checked_out else self._land_beside
            land(index, target, stored.commit, update)
            return CommitResult(sha=stored.commit, branch=target.branch, made=True)

    def _prepared_under_lock(self, index: IndexLocks, target: Target, stored: Stored) -> tuple[Target, Stored]:
        """Lock the index; return what goes with index and branch as they are from now on.

        Who had begun to commit before has to end first, who begins now finds the lock.
        """
        index.take()
        self._outlast_commits()
        now = self._target()
        if now == target and index.fresh:
            return target, stored
        if not now.checked_out:
            raise self._moving()
        index.renew()
        stored = self._store.on(now.tip, self.text, self.objects)
        if stored.commit is not None:
            index.finish(stored.blobs, stored.commit)
        return now, stored

    def _outlast_commits(self) -> None:
        """With the index locked: wait until those have ended who read the branch before it moves. Raises NotNow."""
        begun = list(find_commits(self.place.work_tree, self.place.git_dir, set(), within=self.within))
        pid = outlasting(begun, _UNDER_LOCK_S)
        if pid is not None:
            raise self._committing(pid)

    def _land_with_index(self, index: IndexLocks, target: Target, commit: str, update: RefUpdate) -> None:
        known: set[int] = set()
        landed = False
        try:
            update.aim(target, commit)
            if not index.taken:
                self._nobody_commits(known)
            update.prepare()
            if index.taken:
                self._outlast_commits()  # who began meanwhile has read the branch, and must meet our lock
            else:
                index.take()
                self._still(index, target, known)  # whoever comes from here on finds the index locked
            update.land()
            landed = True
        finally:
            moved = landed or read_ref(self.place.git_dir, target.ref) == commit  # also when it was interrupted
            if moved and index.taken:
                index.install()
            else:
                index.release()

    def _still(self, index: IndexLocks, target: Target, known: set[int]) -> None:
        """Raise NotNow where index or branch is no longer as it was, or is about to be."""
        if not index.fresh:
            raise NotNow(f"the index of {self.place.work_tree} keeps changing", "wait for what changes it")
        if self._target() != target:
            raise self._moving()
        self._nobody_commits(known)

    def _land_beside(self, index: IndexLocks, target: Target, commit: str, update: RefUpdate) -> None:
        """Move a branch that is not checked out here, while nobody can check it out."""
        index.mark(commit)
        update.aim(target, commit)
        update.prepare()
        if not self.place.bare:
            index.take()
        if self._target() != target:
            raise self._moving()
        update.land()

    def _moving(self) -> NotNow:
        return NotNow(f"HEAD of {self.place.called} keeps moving", "wait for what moves it")

    def _committing(self, pid: int) -> NotNow:
        return NotNow(f"a `git commit` (process {pid}) is under way in {self.place.work_tree}", "finish it", pid=pid)

    def _target(self) -> Target:
        return find_target(self.repo, self.place, self.options.mode, self.environ, ended_on=self.ended_on)

    def _check_free(self, index: IndexLocks, known: set[int]) -> None:
        """Find out cheaply that trying is of no use now."""
        index.check_free()
        self._nobody_commits(known)

    def _nobody_commits(self, known: set[int]) -> None:
        pid = find_commit(self.place.work_tree, self.place.git_dir, known, within=self.within)
        if pid is not None:
            raise self._committing(pid)

    def _found(self, target: Target) -> CommitResult:
        """Return the commit that brought the run's files as a branch has them already."""
        assert target.tip is not None
        env = {"GIT_LITERAL_PATHSPECS": "1"}
        found = self.repo.plumbing("rev-list", "--max-count=1", target.tip, "--", *self.place.paths, env=env)
        return CommitResult(sha=found.strip() or target.tip, branch=target.branch, made=False)
