"""When there can be no commit now: the reason, the command that makes it later, nothing changed, and later it works."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
from integration.dead_runs import dead_run
from runwatch.errors import CommitError
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run

QUICK = CommitOptions(patience_s=0.2)
PATIENT = CommitOptions(patience_s=30.0)


def commit(run: Path, options: CommitOptions = QUICK, **environ: str) -> CommitResult:
    result = commit_run(run, TRACKED, MESSAGE, options, environ=environ)
    assert result is not None
    return result


def refused(run: Path, options: CommitOptions = QUICK, **environ: str) -> str:
    with pytest.raises(CommitError) as caught:
        commit(run, options, **environ)
    assert caught.value.sentence.endswith("`runwatch finalize r1` commits it later.")
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


def diverged(path: Path) -> GitRepo:
    """A repository whose branches main and other disagree on README."""
    repo = GitRepo.with_history(path)
    repo.git("checkout", "-q", "-b", "other")
    repo.write("README", "other says\n")
    repo.commit("other")
    repo.git("checkout", "-q", "main")
    repo.write("README", "main says\n")
    repo.commit("main")
    return repo


def merge(repo: GitRepo) -> None:
    repo.git("merge", "-q", "other", check=False)


def rebase(repo: GitRepo) -> None:
    repo.git("rebase", "-q", "other", check=False)


def rebase_by_patches(repo: GitRepo) -> None:
    repo.git("rebase", "-q", "--apply", "other", check=False)


def cherry_pick(repo: GitRepo) -> None:
    repo.git("cherry-pick", "other", check=False)


def revert(repo: GitRepo) -> None:
    repo.write("README", "again\n")
    repo.commit("again")
    repo.git("revert", "--no-edit", "HEAD~1", check=False)


def bisect(repo: GitRepo) -> None:
    repo.git("bisect", "start", "HEAD", "HEAD~1")


UNFINISHED: dict[Callable[[GitRepo], None], tuple[str, tuple[str, ...]]] = {
    merge: ("a merge", ("merge", "--abort")),
    rebase: ("a rebase", ("rebase", "--abort")),
    rebase_by_patches: ("a rebase or `git am`", ("rebase", "--abort")),
    cherry_pick: ("a cherry-pick", ("cherry-pick", "--abort")),
    revert: ("a revert", ("revert", "--abort")),
    bisect: ("a bisect", ("bisect", "reset")),
}


@pytest.mark.parametrize("begin", UNFINISHED, ids=lambda begin: begin.__name__)
def test_what_is_unfinished_is_not_disturbed(tmp_path: Path, begin: Callable[[GitRepo], None]) -> None:
    repo = diverged(tmp_path)
    begin(repo)
    what, abort = UNFINISHED[begin]
    before, head = repo.state(), repo.head()
    run = a_run(repo)
    assert refused(run).startswith(f"{what} is under way in {repo.path}: finish or abort it, then ")
    assert (repo.state(), repo.head()) == (before, head)
    assert_nothing_is_left(repo)
    repo.git(*abort)
    assert_only_the_run_is_committed(repo, commit(run).sha)
    assert_the_index_agrees(repo)


def test_what_is_unfinished_in_another_work_tree_does_not_matter(tmp_path: Path) -> None:
    repo = diverged(tmp_path / "main")
    repo.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"), "main")
    linked = GitRepo(tmp_path / "linked")
    merge(repo)
    assert_only_the_run_is_committed(linked, commit(a_run(linked)).sha)
    merge(linked)
    assert refused(linked.path / "runs/f/r1").startswith(f"a merge is under way in {linked.path}")


def test_a_plain_folder_is_told_what_is_missing(tmp_path: Path) -> None:
    run = a_run(GitRepo(tmp_path))
    assert refused(run).startswith(f"{run} lies in no git repository")
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    assert_only_the_run_is_committed(GitRepo(tmp_path), commit(run).sha, parents=0)


def test_a_detached_head_in_ci_is_refused_and_outside_it_is_not(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("checkout", "-q", "--detach")
    head = repo.head()
    run = a_run(repo)
    said = refused(run, CI="true")
    assert (
        "is detached in CI, where a commit would be lost: keep the job summary and the archive as an artifact" in said
    )
    assert repo.head() == head
    assert commit(run, CI="false").sha == repo.head() != head


def test_a_branch_in_ci_is_committed_to(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    assert commit(a_run(repo), CI="true").branch == "main"


def test_a_repository_of_another_user_is_refused_with_git_s_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    from runwatch.vcs import repository

    with monkeypatch.context() as patch:
        patch.setattr(repository, "FIXED", repository.FIXED | {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
        said = refused(a_run(repo))
    assert f"git config --global --add safe.directory {repo.path}" in said


def test_a_repository_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Root may write anywhere, so the git folder is one that nobody can create files in."""
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    with unwritable(repo.path / ".git") as how:
        said = refused(run)
    assert "cannot be written" in said, how
    assert_only_the_run_is_committed(repo, commit(run).sha)


def test_branches_that_nobody_may_write_are_said_at_once_and_with_their_folder(tmp_path: Path) -> None:
    """Not even root creates files in /sys, which stands for a folder that is immutable."""
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    repo.git("pack-refs", "--all")
    heads = repo.path / ".git/refs/heads"
    heads.rmdir()
    heads.symlink_to("/sys/kernel")
    said = refused(run, PATIENT)
    assert " cannot be written: " in said
    assert "make it writable" in said
    assert "tried" not in said
    heads.unlink()
    heads.mkdir()
    assert_only_the_run_is_committed(repo, commit(run).sha)


@contextlib.contextmanager
def unwritable(folder: Path) -> Iterator[str]:
    if os.geteuid() != 0:
        folder.chmod(0o500)
        try:
            yield "mode"
        finally:
            folder.chmod(0o700)
        return
    (folder / "runwatch.lock").mkdir()  # what is created there first cannot be
    try:
        yield "blocked"
    finally:
        (folder / "runwatch.lock").rmdir()


def test_a_signature_that_was_asked_for_and_cannot_be_made_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("config", "gpg.program", "/bin/false")
    run = a_run(repo)
    said = refused(run, CommitOptions(sign=True, patience_s=0.2))
    assert "the commit cannot be signed (" in said
    assert "): set `user.signingKey`, or `[commit] sign = false`" in said
    assert_nothing_is_left(repo)
    assert_only_the_run_is_committed(repo, commit(run).sha)


def test_a_folder_on_the_way_that_is_a_file_in_the_last_commit_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.write("runs", "a file\n")
    repo.commit("a file called runs")
    (repo.path / "runs").unlink()
    assert "'runs' on the way to the run is no folder in the last commit" in refused(a_run(repo))


def test_a_run_without_any_summary_file_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    for name in TRACKED:
        (run / name).unlink()
    assert "has none of its summary files" in refused(run)


def test_a_run_below_a_name_that_git_keeps_for_itself_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    head, before = repo.head(), repo.state()
    run = a_run(repo).rename(repo.path / "runs/f/.Git")
    with pytest.raises(CommitError, match=r"git keeps the name '\.Git' for itself: choose another"):
        commit(run)
    assert (repo.head(), repo.state()) == (head, before)
    assert repo.git("diff", "--cached") == ""
    assert_nothing_is_left(repo)


@pytest.mark.parametrize("hidden", [{}, {"GIT_DIR": "/nowhere"}])
def test_without_a_git_program_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: dict[str, str]
) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    with monkeypatch.context() as here:
        here.setenv("PATH", str(tmp_path / "src"))
        for name, value in hidden.items():
            here.setenv(name, value)
        said = refused(run)
    assert said == "there is no git program: install git, then `runwatch finalize r1` commits it later."
    assert_only_the_run_is_committed(repo, commit(run).sha)


def test_a_filter_that_fails_is_told_in_git_s_words(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("config", "filter.broken.clean", "false")
    repo.git("config", "filter.broken.required", "true")
    repo.write(".gitattributes", "*.md filter=broken\n")
    repo.git("add", ".gitattributes")
    before = repo.state()
    assert "clean filter 'broken' failed" in refused(a_run(repo))
    assert repo.state() == before
    assert_nothing_is_left(repo)


def test_an_index_lock_that_is_held_for_ever_is_refused_and_stays(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    lock = repo.write(".git/index.lock", "somebody's")
    head = repo.head()
    assert f"{lock} is held (tried " in refused(a_run(repo))
    assert lock.read_text() == "somebody's"
    assert repo.head() == head
    lock.unlink()
    assert_nothing_is_left(repo)


def test_an_index_lock_that_is_given_back_is_waited_for(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    lock = repo.write(".git/index.lock", "")
    run = a_run(repo)
    waiting = in_thread(lambda: commit(run, PATIENT))
    assert not waiting.wait_for(0.3)
    lock.unlink()
    assert_only_the_run_is_committed(repo, waiting.result().sha)
    assert_the_index_agrees(repo)


def test_a_branch_lock_that_is_given_back_is_waited_for(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    lock = repo.write(".git/refs/heads/main.lock", "")
    run = a_run(repo)
    assert "main.lock" in refused(run)
    waiting = in_thread(lambda: commit(run, PATIENT))
    assert not waiting.wait_for(0.3)
    lock.unlink()
    assert_only_the_run_is_committed(repo, waiting.result().sha)
    assert_the_index_agrees(repo)


class in_thread:
    """A call under way in a thread."""

    def __init__(self, call: Callable[[], CommitResult]) -> None:
        self._found: list[CommitResult | CommitError] = []
        self._thread = threading.Thread(target=self._run, args=(call,))
        self._thread.start()

    def _run(self, call: Callable[[], CommitResult]) -> None:
        try:
            self._found.append(call())
        except CommitError as error:  # told to who asks for the result
            self._found.append(error)

    def wait_for(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> CommitResult:
        assert self.wait_for(60)
        (found,) = self._found
        assert isinstance(found, CommitResult), found
        return found


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["editor", "editor, alias", "all", "pre-commit hook"])
def test_a_commit_that_waits_is_not_spoiled(tmp_path: Path, how: str) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    reached, go_on = tmp_path / "reached", tmp_path / "go-on"
    wait = f"touch '{reached}'; until test -e '{go_on}'; do sleep 0.02; done"
    script = tmp_path / "wait.sh"
    script.write_text(f'#!/bin/sh\n{wait}\ntest -z "$1" || echo theirs > "$1"\n')
    script.chmod(0o755)
    repo.write("README", "theirs\n")
    command = ["git", "commit", "-q"]
    if how == "pre-commit hook":
        (repo.path / ".git/hooks").mkdir(exist_ok=True)
        (repo.path / ".git/hooks/pre-commit").symlink_to(script)
        command += ["-m", "theirs"]
    if how == "editor, alias":
        repo.git("config", "alias.ci", "commit -q")
        command = ["git", "ci"]
    if how == "all":
        command.append("-a")
    else:
        repo.git("add", "README")
    theirs = subprocess.Popen(command, cwd=repo.path, env=os.environ | {"GIT_EDITOR": str(script)})
    try:
        eventually(reached.exists)
        head = repo.head()
        run = a_run(repo)
        said = refused(run)
        assert ("is held" if how == "all" else "under way in") in said
        waiting = in_thread(lambda: commit(run, PATIENT))
        assert not waiting.wait_for(0.3)
        assert repo.head() == head
    finally:
        go_on.touch()
        assert theirs.wait(60) == 0
    result = waiting.result()
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.git("log", "--format=%s", "-2").splitlines() == ["runwatch: f/r1 completed", "theirs"]
    assert repo.git("status", "--porcelain") == ""
    assert_the_index_agrees(repo)


_COMMIT_ALL = "import sys; from runwatch.cli.main import run; sys.exit(run(['finalize', 'runs/f/r1']))"


@pytest.mark.parametrize(("hook", "options"), [("pre-commit", ()), ("commit-msg", ("-a",)), ("post-commit", ())])
def test_a_run_in_a_hook_holds_nobody_up(tmp_path: Path, hook: str, options: tuple[str, ...]) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = dead_run(repo.path / "runs", cwd=str(repo.path))
    script = repo.write(f".git/hooks/{hook}", f'#!/bin/sh\n{sys.executable} -c "{_COMMIT_ALL}"\nexit 0\n')
    script.chmod(0o755)
    repo.write("README", "theirs\n")
    repo.git("add", "README")
    repo.git("commit", "-q", "-m", "theirs", *options)
    stage = json.loads((run / "finalize.json").read_bytes())["stages"]["commit"]
    subjects = repo.git("log", "--format=%s", "-2").splitlines()
    if hook == "post-commit":
        assert subjects == ["runwatch: f/r1 crashed", "theirs"]
        assert repo.git("diff", "--cached") == ""
    else:
        assert subjects == ["theirs", "first"]
        assert "waits for this run, which one of its hooks" in stage["error"]  # and not: (tried 58 times)
        assert "`runwatch recover`" in stage["error"]
    assert repo.git("status", "--porcelain") == ""


def test_a_commit_that_waits_elsewhere_does_not_matter(tmp_path: Path) -> None:
    other = GitRepo.with_history(tmp_path / "other")
    other.write("README", "theirs\n")
    reached, go_on = tmp_path / "reached", tmp_path / "go-on"
    editor = f"touch '{reached}'; until test -e '{go_on}'; do sleep 0.02; done; false"
    theirs = subprocess.Popen(
        ["git", "commit", "-qa"], cwd=other.path, env=os.environ | {"GIT_EDITOR": editor}, stderr=subprocess.DEVNULL
    )
    try:
        eventually(reached.exists)
        repo = GitRepo.with_history(tmp_path / "r")
        assert_only_the_run_is_committed(repo, commit(a_run(repo)).sha)
    finally:
        go_on.touch()
        theirs.wait(60)
