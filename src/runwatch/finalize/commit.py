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
from pathlib import Path

import msgspec

from runwatch.errors import CommitError
from runwatch.finalize import commit_hooks, commit_objects, stale_index
from runwatch.finalize.commit_message import Message
from runwatch.finalize.commit_place import NotNow, Place, Target, find_place, find_target
from runwatch.finalize.index_locks import IndexLocks
from runwatch.finalize.recorder_lock import LockHeld, RecorderLock
from runwatch.finalize.ref_update import REFUSED, RefUpdate
from runwatch.finalize.users_commit import commit_around, find_commit
from runwatch.settings.groups import Commit as CommitSettings
from runwatch.vcs import NO_GIT, GitError, GitVariables, Repository, read_ref

__all__ = ["CommitOptions", "CommitResult", "Message", "commit_run", "options"]

_BACK_OFF_S = (0.005, 0.25)
"""First and longest wait between two tries; each is twice the one before, less up to half by chance."""
_PATIENT_TRIES = 3
"""So often may the index change under our hands; then it is locked first and prepared afterwards."""


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
            with RecorderLock(place.git_dir, deadline):
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
            return job.attempt(lock_first=tries > _PATIENT_TRIES)
        except NotNow as error:
            if time.monotonic() + wait_s > deadline:
                raise job.place.refuse(f"{error.why} (tried {tries} times)", error.remedy) from error
        time.sleep(wait_s * random.uniform(0.5, 1.0))
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
        self._stored: dict[tuple[object, ...], _Stored] = {}

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

    def attempt(self, *, lock_first: bool) -> CommitResult:
        """Try once. Raises NotNow when trying again may help.

        Killed before the branch moves, nothing has happened but a lock that `stale_index` knows as ours. Killed after
        that, the lock holds the index that goes with the branch, and is put in its place.
        """
        target = self._target()
        with ExitStack() as undo:
            index = IndexLocks(self.repo, self.place)
            undo.callback(index.release)
            if target.checked_out:
                self._check_free(index, set())
                if lock_first:
                    index.take()
                index.begin()
            stored = self._store(target)
            if stored.commit is None:
                return CommitResult(sha=self._found(target.tip), branch=target.branch, made=False)
            if target.checked_out:
                self._land_with_index(index, target, stored.blobs, stored.commit)
            else:
                self._land_beside(index, target, stored.commit)
            return CommitResult(sha=stored.commit, branch=target.branch, made=True)

    def _store(self, target: Target) -> _Stored:
        """Store the objects, once for each state of branch and files."""
        key = (target.tip, *(_stamp(file) for file in self.place.files))
        if key not in self._stored:
            with commit_objects.Objects(self.repo, self.place, target.tip) as objects:
                trees = objects.trees()
                blobs = objects.blobs()
                commit = None
                if not (target.tip and commit_objects.holds(trees[-1], blobs)):
                    tree = objects.add(trees, blobs)
                    commit = commit_objects.write_commit(
                        self.repo, tree, target.tip, self.text, author=self.options.author, sign=self.options.sign
                    )
            self._stored[key] = _Stored(blobs, commit)
        return self._stored[key]

    def _land_with_index(self, index: IndexLocks, target: Target, blobs: Mapping[str, str], commit: str) -> None:
        known: set[int] = set()
        landed = False
        with RefUpdate(self.repo, target, commit, self._reason()) as update:
            try:
                index.finish(blobs, commit)
                self._nobody_commits(known)
                update.prepare()
                index.take()
                if not index.fresh:
                    raise NotNow(f"the index of {self.place.work_tree} keeps changing", "wait for what changes it")
                if self._target() != target:
                    raise NotNow(f"HEAD of {self.place.called} keeps moving", "wait for what moves it")
                self._nobody_commits(known)  # whoever comes from here on finds the index locked
                update.land()
                landed = True
            finally:
                moved = landed or read_ref(self.place.git_dir, target.ref) == commit  # also when it was interrupted
                if moved and index.taken:
                    index.install()
                else:
                    index.release()

    def _land_beside(self, index: IndexLocks, target: Target, commit: str) -> None:
        """Move a branch that is not checked out here, while nobody can check it out."""
        index.mark(commit)
        with RefUpdate(self.repo, target, commit, self._reason()) as update:
            update.prepare()
            if not self.place.bare:
                index.take()
            if self._target() != target:
                raise NotNow(f"HEAD of {self.place.called} keeps moving", "wait for what moves it")
            update.land()

    def _target(self) -> Target:
        return find_target(self.repo, self.place, self.options.mode, self.environ, ended_on=self.ended_on)

    def _check_free(self, index: IndexLocks, known: set[int]) -> None:
        """Find out cheaply that trying is of no use now."""
        index.check_free()
        self._nobody_commits(known)

    def _nobody_commits(self, known: set[int]) -> None:
        pid = find_commit(self.place.work_tree, self.place.git_dir, known, within=self.within)
        if pid is not None:
            raise NotNow(f"a `git commit` (process {pid}) is under way in {self.place.work_tree}", "finish it")

    def _found(self, tip: str | None) -> str:
        """Return the commit that brought the run's files as they are at ``tip``."""
        assert tip is not None
        env = {"GIT_LITERAL_PATHSPECS": "1"}
        found = self.repo.plumbing("rev-list", "--max-count=1", tip, "--", *self.place.paths, env=env)
        return found.strip() or tip

    def _reason(self) -> str:
        return self.text.partition("\n")[0]


class _Stored(msgspec.Struct, frozen=True):
    """What lies in the object store, and in no branch yet."""

    blobs: dict[str, str]
    """Name to object id."""
    commit: str | None
    """None where the branch has the files as they are."""


def _stamp(path: Path) -> tuple[int, int, int, int]:
    found = os.lstat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def explain(place: Place, error: GitError, *, sign: bool = False) -> CommitError:
    """Return why git could not, in a sentence with what to do about it."""
    said = f"{error.stderr} {error.sentence}".lower()
    if error.sentence == NO_GIT:
        return place.refuse("there is no git program", "install git")
    if "dubious ownership" in said:
        return place.refuse(
            f"git refuses {place.called}, which belongs to another user",
            f"`git config --global --add safe.directory {place.work_tree}` trusts it",
        )
    if "safe.barerepository" in said:
        return place.refuse(
            f"git uses {place.called} only for those who name it (safe.bareRepository)",
            f"set GIT_DIR={place.git_dir} for the runs to come, or `git config --global safe.bareRepository all`",
        )
    if sign and "commit-tree" in error.sentence:
        why = error.stderr.strip().partition("\n")[0].removeprefix("error: ").rstrip(".?")
        return place.refuse(f"the commit cannot be signed ({why})", "set `user.signingKey`, or `[commit] sign = false`")
    refused = REFUSED.search(error.stderr)
    if refused is not None:
        folder, why = os.path.dirname(refused["file"]), refused["why"]
        immutable = f" (`chattr -i {folder}` where it is immutable)" if why == "Operation not permitted" else ""
        return place.refuse(f"{folder} cannot be written: {why}", f"make it writable{immutable}")
    if any(words in said for words in ("read-only file system", "insufficient permission", "permission denied")):
        return place.refuse(f"{place.git_dir} cannot be written", "make it writable")
    if "no space left" in said:
        return place.refuse(f"the disk of {place.git_dir} is full", "free space")
    return place.refuse(error.sentence.rstrip("."), "mend that")
