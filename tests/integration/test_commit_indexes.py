"""The index that the user works with besides the usual one: both agree with the commit, under the lock of each."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path

import pytest

from commit_checks import (
    MESSAGE,
    TRACKED,
    a_run,
    assert_nothing_is_left,
    assert_only_the_run_is_committed,
    assert_the_index_agrees,
)
from git_repos import GitRepo
from integration.recorded import record, runwatch
from integration.test_commit_races import DYING, let_go, started
from runwatch.errors import CommitError
from runwatch.finalize import commit as commit_module
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run
from runwatch.finalize.index_lock import IndexLock
from runwatch.vcs import GitVariables

PATIENCE = CommitOptions(patience_s=0.3)


class Worker:
    """Somebody who works in a repository with an index of their own, in a folder of its own."""

    def __init__(self, folder: Path, name: str = "mine/index") -> None:
        self.repo = GitRepo.with_history(folder / "r")
        self.index = folder / name
        self.index.parent.mkdir(exist_ok=True)
        shutil.copy2(self.repo.path / ".git/index", self.index)
        self.env = {"GIT_INDEX_FILE": str(self.index)}
        self.user = GitVariables(index=str(self.index))
        self.repo.write("mine", "staged in mine\n")
        self.repo.git("add", "mine", **self.env)
        self.repo.write("usual", "staged in the usual one\n")
        self.repo.git("add", "usual")

    def state(self) -> tuple[dict[str, object], str]:
        """What both indexes hold but the run."""
        listed = self.repo.git("ls-files", "-s", "-v", "-z", "--", ".", ":(exclude)runs", **self.env)
        return self.repo.state(), listed

    def commit(self, run: Path, options: CommitOptions = PATIENCE) -> CommitResult:
        result = commit_run(run, TRACKED, MESSAGE, options, user=self.user)
        assert result is not None
        return result

    def check(self, result: CommitResult, run_id: str = "r1") -> None:
        """The run is committed, and both indexes agree; a plain commit with either keeps it."""
        assert_only_the_run_is_committed(self.repo, result.sha, run_id)
        assert_the_index_agrees(self.repo, run_id)
        assert self.repo.git("diff-index", "--cached", "HEAD", "--", "runs", **self.env) == ""
        assert self.repo.git("diff-files", "--", "runs", **self.env) == ""
        self.repo.git("fsck", "--strict")
        assert_nothing_is_left(self.repo)
        assert [path.name for path in self.index.parent.iterdir()] == [self.index.name]


def test_both_indexes_agree_and_the_user_s_next_commit_keeps_the_run(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    before, run = worker.state(), a_run(worker.repo)
    result = worker.commit(run)
    assert worker.state() == before
    worker.check(result)
    assert worker.commit(run).made is False
    worker.repo.git("commit", "-qm", "mine", **worker.env)
    assert worker.repo.git("show", "--format=", "--name-status", "HEAD").split() == ["A", "mine"]


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_what_came_too_late_is_made_anew_under_both_locks(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(commit_module, "_PATIENT_TRIES", 0)
    monkeypatch.setattr(IndexLock, "fresh", False)
    worker = Worker(tmp_path)
    before, run = worker.state(), a_run(worker.repo)
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    result = worker.commit(run)
    assert worker.state() == before
    worker.check(result)


def test_the_lock_of_either_is_respected_and_nothing_is_staged_meanwhile(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    before, run, head = worker.state(), a_run(worker.repo), worker.repo.head()
    for lock in (worker.index.with_name("index.lock"), worker.repo.path / ".git/index.lock"):
        lock.touch()
        with pytest.raises(CommitError, match=f"{lock} is held"):
            worker.commit(run)
        assert (worker.state(), worker.repo.head()) == (before, head)
        lock.unlink()
    worker.check(worker.commit(run))


KILLED_AT = {
    "when neither index is locked": "index_lock.IndexLock.take = die",
    "when one index is locked": (
        "take = index_lock.IndexLock.take\n"
        "index_lock.IndexLock.take = lambda lock: die() if '.git' not in lock.path else take(lock)"
    ),
    "when both are locked": "ref_update.RefUpdate.land = die",
    "when the branch has moved": "index_lock.IndexLock.install = die",
    "when one index is in place": (
        "install = index_lock.IndexLock.install\n"
        "index_lock.IndexLock.install = lambda lock: die() if '.git' not in lock.path else install(lock)"
    ),
}
RECORDER = """
import sys
from pathlib import Path
from runwatch.finalize.commit import CommitOptions, commit_run
from runwatch.vcs import GitVariables
print("ready", flush=True)
sys.stdin.readline()
commit_run(Path(sys.argv[2]), sys.argv[1].split(","), "runwatch: f/r1 completed", CommitOptions(),
           user=GitVariables(index=sys.argv[3]))
"""


@pytest.mark.parametrize("moment", KILLED_AT)
@pytest.mark.parametrize("by_another", [False, True], ids=["done again", "then another run"])
def test_killed_at_any_moment_both_indexes_come_right(tmp_path: Path, moment: str, by_another: bool) -> None:
    """A recorder of another run, that knows of no second index, finds it too where ours had come to begin."""
    worker = Worker(tmp_path)
    before, run, other = worker.state(), a_run(worker.repo), a_run(worker.repo, "r2")
    program = f"{DYING}\nfrom runwatch.finalize import index_locks\n{KILLED_AT[moment]}\n{RECORDER}"
    child = started(program, ",".join(TRACKED), str(run), str(worker.index), cwd=tmp_path)
    let_go(child)
    _, said = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, said
    if by_another:
        assert commit_run(other, TRACKED, "runwatch: f/r2 completed\n", PATIENCE) is not None
        if moment != "when one index is in place":  # what could tell of the second one was gone by then
            assert not worker.index.with_name("index.lock").exists()
    result = worker.commit(run)
    assert worker.state() == before
    assert worker.repo.git("log", "--format=%s").split("\n").count("runwatch: f/r1 completed") == 1
    worker.check(result) if not by_another else assert_the_index_agrees(worker.repo, "r2")
    assert not worker.index.with_name("index.lock").exists()


def test_what_is_no_index_of_this_work_tree_is_left_alone(tmp_path: Path) -> None:
    repo, other = GitRepo.with_history(tmp_path / "r"), GitRepo.with_history(tmp_path / "other")
    own, theirs = repo.path / ".git/index", other.path / ".git/index"
    copy = tmp_path / "copy"
    shutil.copy2(theirs, copy)
    (repo.path / ".git/next-index-7.lock").write_bytes(own.read_bytes())
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, user in enumerate(
        (
            GitVariables(index=str(theirs)),  # as a hook of the other leaves it
            GitVariables(index=str(copy), dir=str(other.path / ".git")),
            GitVariables(index=str(own)),
            GitVariables(index=str(repo.path / ".git/next-index-7.lock")),  # as `git commit -a` leaves it to its hooks
            GitVariables(index=str(tmp_path / "gone")),
            GitVariables(index=str(folder)),
        )
    ):
        before = theirs.read_bytes(), copy.read_bytes(), (repo.path / ".git/next-index-7.lock").read_bytes()
        result = commit_run(a_run(repo, f"r{number}"), TRACKED, MESSAGE, PATIENCE, user=user)
        assert result is not None
        assert_the_index_agrees(repo, f"r{number}")
        assert (theirs.read_bytes(), copy.read_bytes(), (repo.path / ".git/next-index-7.lock").read_bytes()) == before
        assert not (tmp_path / "gone").exists()


def test_a_command_recorded_with_an_index_of_its_own_keeps_it_agreeing_also_when_finalized_later(
    tmp_path: Path,
) -> None:
    worker = Worker(tmp_path, "r/mine.index")
    (worker.repo.path / ".gitignore").write_text("/mine.index\n")
    head = worker.repo.head()
    worker.repo.write(".git/MERGE_HEAD", f"{head}\n")
    made = record("true", cwd=worker.repo.path, env={"GIT_INDEX_FILE": "mine.index"})
    assert made.event("run.started")["git"]["index"] == str(worker.index)
    assert worker.repo.head() == head
    (worker.repo.path / ".git/MERGE_HEAD").unlink()
    assert runwatch("finalize", cwd=worker.repo.path).returncode == 0  # nothing in its environment tells of the index
    assert worker.repo.git("rev-parse", "HEAD~1").strip() == head
    for env in ({}, worker.env):
        assert worker.repo.git("diff-index", "--cached", "--name-only", "HEAD", "--", "runs", **env) == ""
