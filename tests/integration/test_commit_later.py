"""A run in a repository that cannot take its commit: complete, with the reason, and committed later."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from commit_checks import assert_nothing_is_left, assert_only_the_run_is_committed, assert_the_index_agrees
from git_repos import GitRepo
from integration.dead_runs import dead_run
from integration.recorded import RUNWATCH, runwatch
from runwatch.finalize import commit_stage, stages
from runwatch.finalize.commit import CommitOptions
from runwatch.finalize.commit_place import find_place
from runwatch.finalize.git_said import explain
from runwatch.finalize.publish import closing_lines
from runwatch.finalize.state import FinalizeState
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.settings.groups import Commit
from runwatch.vcs import GitError

Act = Callable[[GitRepo], object]


@pytest.fixture(autouse=True)
def in_no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")  # so that there is something to put back: a test below sets it
    monkeypatch.delenv("CI")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a lock no longer than it takes to see that it is held."""
    real = commit_stage.options

    def quick(settings: Commit) -> CommitOptions:
        return msgspec.structs.replace(real(settings), patience_s=0.2)

    monkeypatch.setattr(commit_stage, "options", quick)


def a_run_on(repo: GitRepo, began_on: str | None = "main", ended_on: str | None = None, name: str = "f/r1") -> Path:
    """Lay out a run whose processes are gone and whose journal tells of these branches."""
    git = {"git": {"branch": began_on, "head": "0" * 40}} if began_on else {}
    run = dead_run(repo.path / "runs", name, cwd=str(repo.path), **git)
    if ended_on:
        snapshot = {"type": "git.snapshot", "ts": "2026-10-20T10:00:04Z", "branch": ended_on, "head": "0" * 40}
        with (run / "events.jsonl").open("a") as journal:
            journal.write(json.dumps(snapshot) + "\n")
    return run


def finalized(run: Path, settings: Commit | None = None) -> FinalizeState:
    return stages.run(run, Settings(commit=settings or Commit()))


def commit_line(run: Path) -> str:
    (line,) = [line for line in closing_lines(RunPaths(run)) if line.startswith("runwatch: commit ")]
    return line


def head_of(repo: GitRepo) -> str:
    return repo.git("rev-parse", "--verify", "-q", "HEAD", check=False).strip()


def diverge(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.write("README", "other says\n")
    repo.commit("other")
    repo.git("checkout", "-q", "main")
    repo.write("README", "main says\n")
    repo.commit("main")


def begun(*command: str) -> Act:
    def begin(repo: GitRepo) -> None:
        diverge(repo)
        repo.git(*command, check=False)

    return begin


def git(*command: str) -> Act:
    return lambda repo: repo.git(*command)


def files(*names: str, content: str = "") -> Act:
    return lambda repo: [repo.write(name, content) for name in names]


def without(*names: str) -> Act:
    return lambda repo: [(repo.path / name).unlink() for name in names]


def broken_filter(repo: GitRepo) -> None:
    repo.write(".gitattributes", "*.json filter=lfs diff=lfs merge=lfs -text\n")
    repo.git("config", "filter.lfs.clean", "a-git-lfs-that-is-not-installed clean -- %f")
    repo.git("config", "filter.lfs.required", "true")


def detached(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "--detach")
    os.environ["CI"] = "true"  # in_no_ci puts it back


def signing(repo: GitRepo) -> None:
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingKey", str(repo.path / ".git/no-such-key"))


def unsigned(repo: GitRepo) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", repo.path / ".git/no-such-key"], check=True)


def refusing_hook(repo: GitRepo) -> None:
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho not on a Saturday >&2\nexit 1\n").chmod(0o755)


def remade(repo: GitRepo) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(repo.path)], check=True)


def made_bare(repo: GitRepo) -> None:
    """The folder itself is a bare repository, from which a work tree elsewhere is checked out."""
    shutil.rmtree(repo.path / ".git")
    subprocess.run(["git", "init", "-q", "--bare", str(repo.path)], check=True)
    (repo.path / "index").touch()


REFUSALS: dict[str, tuple[Act, str, Act, Commit]] = {
    "no repository": (lambda r: shutil.rmtree(r.path / ".git"), "lies in no git repository", remade, Commit()),
    "a bare repository with an index": (made_bare, "has an index", remade, Commit()),
    "a merge": (begun("merge", "other"), "a merge is under way", git("merge", "--abort"), Commit()),
    "a rebase": (begun("rebase", "other"), "a rebase of branch main is under way", git("rebase", "--abort"), Commit()),
    "an am": (begun("rebase", "--apply", "other"), "a rebase of branch main", git("rebase", "--abort"), Commit()),
    "a cherry-pick": (begun("cherry-pick", "other"), "a cherry-pick is", git("cherry-pick", "--abort"), Commit()),
    "a revert": (begun("revert", "--no-commit", "HEAD"), "a revert is", git("revert", "--abort"), Commit()),
    "a bisect": (begun("bisect", "start"), "a bisect is under way", git("bisect", "reset"), Commit()),
    "detached in CI": (detached, "is detached in CI", git("checkout", "-q", "main"), Commit()),
    "an index lock for ever": (files(".git/index.lock"), "index.lock is held", without(".git/index.lock"), Commit()),
    "a branch lock for ever": (
        files(".git/refs/heads/main.lock"),
        "main.lock",
        without(".git/refs/heads/main.lock"),
        Commit(),
    ),
    "a filter that is missing": (
        broken_filter,
        "clean filter 'lfs' failed",
        git("config", "filter.lfs.clean", "cat"),
        Commit(),
    ),
    "no key to sign with": (signing, "cannot be signed", unsigned, Commit(sign=True)),
    "a hook that refuses": (
        refusing_hook,
        "pre-commit hook refused the commit (not on a Saturday)",
        without(".git/hooks/pre-commit"),
        Commit(hooks=True),
    ),
    "a named branch checked out elsewhere": (
        lambda repo: repo.git("worktree", "add", "-q", "-b", "records", str(repo.path.parent / "linked")),
        "branch records is checked out in another work tree",
        lambda repo: repo.git("worktree", "remove", "--force", str(repo.path.parent / "linked")),
        Commit(mode="records"),
    ),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("case", REFUSALS)
def test_a_run_without_its_commit_is_complete_and_committed_later(tmp_path: Path, case: str) -> None:
    hinder, why, cure, settings = REFUSALS[case]
    if case == "no key to sign with" and shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    repo = GitRepo.with_history(tmp_path / "r")
    hinder(repo)
    in_git = (repo.path / ".git").exists()
    before = repo.state() if in_git else None
    head = head_of(repo)
    elsewhere = repo.git("rev-parse", "--verify", "-q", settings.mode, check=False).strip()
    run = a_run_on(repo, None if case == "detached in CI" else "main")
    state = finalized(run, settings)
    assert state.complete
    assert state.commit is None
    assert [name for name, stage in state.stages.items() if not stage.done] == ["commit"]
    error = state.stages["commit"].error
    assert error is not None
    assert why in error
    assert "`runwatch finalize r1`" in error
    assert error.rstrip(".") in commit_line(run)
    if in_git:
        assert (repo.state(), head_of(repo)) == (before, head)
    cure(repo)
    (repo.path / ".git/index.lock").unlink(missing_ok=True)
    head = head_of(repo)
    again = finalized(run, settings)
    assert again.stages["commit"].done, again.stages["commit"].error
    assert again.commit is not None
    tip = repo.git("rev-parse", again.commit.branch or "HEAD").strip()
    assert tip == again.commit.sha
    before_it = repo.git("rev-list", "--parents", "-1", tip).split()[1:]
    assert_only_the_run_is_committed(repo, tip, parents=len(before_it))
    assert before_it == [elsewhere if settings.mode != "current" else head][: len(before_it)]
    assert again.commit.sha[:12] in commit_line(run)
    assert finalized(run, settings).commit == again.commit
    assert repo.git("rev-parse", again.commit.branch or "HEAD").strip() == tip
    if settings.mode == "current":
        assert_the_index_agrees(repo)
    assert_nothing_is_left(repo)


def test_a_repository_of_another_user_is_refused_and_git_s_remedy_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository away; test_commit_refusals asks git to assume it")
    home = tmp_path / "home"
    shutil.copytree(os.environ["HOME"], home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    repo = GitRepo.with_history(tmp_path / "r")
    run = a_run_on(repo)
    for path in (repo.path, *(repo.path / ".git").rglob("*"), repo.path / ".git"):
        os.chown(path, 54321, -1)
    error = finalized(run).stages["commit"].error or ""
    assert "belongs to another user" in error
    remedy = error.partition(": `")[2].partition("`")[0]
    subprocess.run(remedy, shell=True, check=True)
    state = finalized(run)
    assert_only_the_run_is_committed(repo, state.commit.sha if state.commit else None)
    assert_the_index_agrees(repo)


@pytest.fixture
def as_anybody() -> list[str]:
    """What to put before a command so that file modes count for it, also where root runs the tests."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: root may write anywhere")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def test_a_repository_that_cannot_be_written_is_refused_and_later_committed_to(
    tmp_path: Path, as_anybody: list[str]
) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    run = a_run_on(repo)
    before, head = repo.state(), repo.head()
    folders = [path for path in (repo.path / ".git", *(repo.path / ".git").rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        done = subprocess.run([*as_anybody, *RUNWATCH, "finalize", "r1"], cwd=repo.path, capture_output=True, text=True)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert "cannot be written" in done.stdout
    assert "`runwatch finalize r1` commits it later" in done.stdout
    assert done.returncode == 1
    assert (repo.state(), repo.head()) == (before, head)
    done = subprocess.run([*as_anybody, *RUNWATCH, "finalize", "r1"], cwd=repo.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert_only_the_run_is_committed(repo, repo.head())
    assert_the_index_agrees(repo)
    assert run.is_dir()


# ---- the branch ----


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository in which the run ended on main, and topic is checked out by now, with something staged."""
    made = GitRepo.with_history(tmp_path / "r")
    made.git("checkout", "-q", "-b", "topic")
    made.write("topic.txt", "of topic\n")
    made.commit("topic")
    made.write("README", "staged on topic\n")
    made.git("add", "README")
    return made


def test_of_a_branch_that_is_named_for_all_runs_nothing_is_said_but_that_the_run_changed_branches(
    repo: GitRepo,
) -> None:
    for began_on, note in (("main", None), ("topic", "the run began on topic, ended on main")):
        state = finalized(a_run_on(repo, began_on, "main", f"f/{began_on}"), Commit(mode="of-runs"))
        assert state.commit is not None
        assert (state.commit.branch, state.commit.note) == ("of-runs", note)


def test_a_dead_run_is_committed_on_the_branch_where_it_ended(repo: GitRepo) -> None:
    run = a_run_on(repo, "main", "main")
    before, head, index = repo.state(), repo.head(), (repo.path / ".git/index").read_bytes()
    state = finalized(run)
    assert state.commit is not None
    assert (state.commit.branch, state.commit.note) == ("main", "topic is checked out now")
    assert_only_the_run_is_committed(repo, repo.git("rev-parse", "main").strip())
    assert (repo.state(), repo.head(), (repo.path / ".git/index").read_bytes()) == (before, head, index)
    assert repo.git("status", "--porcelain").splitlines() == ["M  README"]  # the summaries stay out of sight
    assert commit_line(run).endswith("on main (topic is checked out now)")
    assert_nothing_is_left(repo)
    repo.git("commit", "-q", "-m", "staged")
    repo.git("checkout", "-q", "main")
    assert repo.git("status", "--porcelain") == ""
    assert_the_index_agrees(repo)


def test_a_branch_that_changed_during_the_run_is_noted(repo: GitRepo) -> None:
    run = a_run_on(repo, "main", "topic")
    state = finalized(run)
    assert state.commit is not None
    assert (state.commit.branch, state.commit.note) == ("topic", "the run began on main")
    assert commit_line(run).endswith("on topic (the run began on main)")
    assert_the_index_agrees(repo)


def test_a_branch_that_is_gone_leaves_the_commit_to_the_one_at_hand(repo: GitRepo) -> None:
    run = a_run_on(repo, "gone", "gone")
    state = finalized(run)
    assert state.commit is not None
    assert (state.commit.branch, state.commit.note) == ("topic", "the run ended on gone")
    assert_only_the_run_is_committed(repo, repo.head())


def test_a_run_that_knows_no_branch_is_committed_on_the_one_at_hand(repo: GitRepo) -> None:
    state = finalized(a_run_on(repo, None))
    assert state.commit is not None
    assert (state.commit.branch, state.commit.note) == ("topic", None)


def test_a_run_of_another_work_tree_s_command_does_not_follow_that_one_s_branches(
    repo: GitRepo, tmp_path: Path
) -> None:
    other = GitRepo.with_history(tmp_path / "other")
    git = {"branch": "main", "head": other.head()}
    state = finalized(dead_run(repo.path / "runs", "f/r1", cwd=str(other.path), git=git))
    assert state.commit is not None
    assert state.commit.branch == "topic"


def test_a_branch_that_another_work_tree_holds_or_rebases_is_waited_for(repo: GitRepo, tmp_path: Path) -> None:
    run = a_run_on(repo, "main", "main")
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", str(linked), "main")
    tip = repo.git("rev-parse", "main")
    error = finalized(run).stages["commit"].error or ""
    assert "branch main is checked out in another work tree" in error
    there = GitRepo(linked)
    there.git("config", "user.name", "x")
    there.write("README", "main says\n")
    there.commit("main says")
    there.git("branch", "onto", "HEAD~1")
    there.git("checkout", "-q", "onto")
    there.write("README", "onto says\n")
    there.commit("onto says")
    there.git("rebase", "-q", "onto", "main", check=False)
    error = finalized(run).stages["commit"].error or ""
    assert "a rebase of branch main is under way" in error
    there.git("rebase", "--abort")
    there.git("checkout", "-q", "--detach")
    state = finalized(run)
    assert state.commit is not None
    assert state.commit.branch == "main"
    assert tip != repo.git("rev-parse", "main")


def test_a_command_that_switches_branches_leaves_its_commit_on_the_last_one(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    done = runwatch("run", "--headless", "--", "git", "checkout", "-q", "-b", "switched", cwd=repo.path)
    assert done.returncode == 0
    assert repo.git("branch", "--show-current").strip() == "switched"
    assert b"on switched (the run began on main)" in done.stderr + done.stdout
    assert repo.git("rev-list", "--count", "main").strip() == "1"
    assert repo.git("status", "--porcelain") == ""


def test_a_commit_that_was_taken_back_is_made_again_and_one_that_was_rewritten_is_found(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "repo")
    run = a_run_on(repo)
    made = finalized(run).commit
    assert made is not None
    assert finalized(run).commit == made
    repo.git("reset", "-q", "--hard", "HEAD~1")  # the five files are gone too
    again = finalized(run).commit
    assert again is not None
    assert again.sha == head_of(repo)
    assert_only_the_run_is_committed(repo, again.sha)
    assert again.sha[:12] in commit_line(run)
    repo.git("commit", "-q", "--amend", "-m", "in my words")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    rewritten = finalized(run).commit
    assert rewritten is not None
    assert rewritten.sha == head_of(repo)
    assert repo.git("log", "--format=%s").splitlines() == ["in my words", "first"]
    repo.git("checkout", "-q", "-b", "other", "HEAD~1")
    repo.git("branch", "-q", "-f", "main", "HEAD")
    assert finalized(run).commit == rewritten  # its files are away, with a branch that is not checked out
    assert repo.git("status", "--porcelain") == ""


def test_a_run_that_was_moved_is_committed_under_its_own_name(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "a project of ours")
    run = a_run_on(repo).rename(repo.path / "moved")
    assert finalized(run).commit is not None
    message = repo.git("log", "-1", "--format=%B")
    assert message.startswith("runwatch: f/r1 crashed\n")
    assert "\nRunwatch-Run: f/r1\n" in message
    assert "a project of ours" not in message


def test_a_branch_that_git_cannot_move_is_told_at_once_and_with_what_helps(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    head = head_of(repo)
    run = a_run_on(repo, None)
    repo.git("branch", "x")
    repo.git("symbolic-ref", "HEAD", "refs/heads/x/y")
    error = finalized(run).stages["commit"].error or ""
    assert "git can make no refs/heads/x/y" in error
    assert "beside refs/heads/x: check out a branch of another name" in error
    repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    repo.write(".git/refs/heads/main", "garbage\n")
    error = finalized(run).stages["commit"].error or ""
    assert "refs/heads/main" in error
    assert f"write the last object id of {repo.path}/.git/logs/refs/heads/main" in error
    repo.write(".git/refs/heads/main", head + "\n")
    assert finalized(run).commit is not None
    assert repo.git("rev-parse", "HEAD~1").strip() == head


@pytest.mark.parametrize(
    "said",
    [
        "GitPython cannot be imported: Failed to initialize: [Errno 24] Too many open files.",
        "git cannot be started: Too many open files.",
    ],
)
def test_a_shell_that_allows_too_few_files_is_named_and_no_library(tmp_path: Path, said: str) -> None:
    repo = GitRepo.create(tmp_path / "r")
    place = find_place(a_run_on(repo), ["events.jsonl"])
    assert "git cannot open the files it needs: raise `ulimit -n`, then" in explain(place, GitError(said)).sentence
