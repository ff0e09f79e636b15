"""The commit in every kind of repository, place and environment: one commit of five files, and all else as before."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
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
from runwatch.errors import CommitError
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run
from runwatch.finalize.recorder_lock import NAME, RecorderLock

PATIENCE = CommitOptions(patience_s=0.3)


def commit(run: Path, options: CommitOptions = PATIENCE) -> CommitResult:
    result = commit_run(run, TRACKED, MESSAGE, options)
    assert result is not None
    return result


def staged(repo: GitRepo) -> None:
    repo.write("README", "staged\n")
    repo.write("new.txt", "staged and new\n")
    repo.git("add", "README", "new.txt")
    repo.git("rm", "-q", "--cached", "src/a.py")
    repo.write("README", "staged, then edited\n")


def dirty(repo: GitRepo) -> None:
    repo.write("README", "edited\n")
    (repo.path / "src/a.py").unlink()
    repo.write("untracked/file", "x\n")


def test_a_shared_repository_stays_writable_for_its_group(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path, "--shared=group")
    commit(a_run(repo))
    made = [path for path in (repo.path / ".git/objects").rglob("*") if path.is_dir()]
    assert all(path.stat().st_mode & stat.S_IWGRP for path in (*made, repo.path / ".git/index"))
    assert (repo.path / ".git/refs/heads/main").stat().st_mode & stat.S_IWGRP


@pytest.mark.parametrize(("shared", "mode"), [("group", 0o660), ("false", 0o600)])
def test_the_lock_that_a_killed_recorder_leaves_is_for_those_who_share_the_repository(
    tmp_path: Path, shared: str, mode: int
) -> None:
    repo = GitRepo.with_history(tmp_path, f"--shared={shared}")
    git_dir = repo.path / ".git"
    before = os.umask(0o077)
    try:
        with RecorderLock(git_dir, time.monotonic()):
            assert stat.S_IMODE((git_dir / NAME).stat().st_mode) == mode
    finally:
        os.umask(before)
    assert not (git_dir / NAME).exists()


def test_a_shallow_clone_is_committed_to(tmp_path: Path) -> None:
    origin = GitRepo.with_history(tmp_path / "origin")
    origin.write("README", "second\n")
    origin.commit("second")
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{origin.path}", str(tmp_path / "r")], check=True)
    repo = GitRepo(tmp_path / "r")
    staged(repo)
    before, shallow = repo.state(), (repo.path / ".git/shallow").read_bytes()
    result = commit(a_run(repo))
    assert_only_the_run_is_committed(repo, result.sha)
    assert (repo.state(), (repo.path / ".git/shallow").read_bytes()) == (before, shallow)
    assert_the_index_agrees(repo)


def test_a_clone_without_its_blobs_fetches_none(tmp_path: Path) -> None:
    origin = GitRepo.with_history(tmp_path / "origin")
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = ["git", "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{origin.path}", str(tmp_path / "r")]
    subprocess.run(clone, check=True)
    repo = GitRepo(tmp_path / "r")
    repo.git("sparse-checkout", "set", "--cone", "nothing", GIT_NO_LAZY_FETCH="1", check=False)
    repo.git("read-tree", "HEAD")
    (tmp_path / "origin").rename(tmp_path / "gone")
    result = commit(a_run(repo))
    assert_only_the_run_is_committed(repo, result.sha)
    assert_the_index_agrees(repo)


@pytest.mark.parametrize("name", ["with a space", "a\nline", os.fsdecode(b"caf\xe9 \xff"), "-q", "ünï", "'\"$x"])
def test_a_work_tree_of_any_name_is_committed_to(tmp_path: Path, name: str) -> None:
    repo = GitRepo.with_history(tmp_path / name)
    staged(repo)
    before = repo.state()
    result = commit(a_run(repo))
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.state() == before
    assert_the_index_agrees(repo)
    assert_nothing_is_left(repo)


def test_references_in_tables_are_committed_to(tmp_path: Path) -> None:
    path = tmp_path / "r"
    done = subprocess.run(["git", "init", "-q", "-b", "main", "--ref-format=reftable", str(path)], capture_output=True)
    if done.returncode:
        pytest.skip("git init --ref-format=reftable needs git 2.45 or newer")
    repo = GitRepo(path)
    repo.write("README", "read me\n")
    repo.commit("first")
    result = commit(a_run(repo))
    assert result.branch == "main"
    assert_only_the_run_is_committed(repo, result.sha)
    assert_the_index_agrees(repo)


def test_a_linked_worktree_commits_on_its_own_branch(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "main")
    repo.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"))
    linked = GitRepo(tmp_path / "linked")
    staged(linked)
    dirty(repo)
    before, main_before = linked.state(), repo.state()
    result = commit(a_run(linked))
    assert result.branch == "topic"
    assert_only_the_run_is_committed(linked, result.sha)
    assert (linked.state(), repo.state()) == (before, main_before)
    assert_the_index_agrees(linked)
    assert_nothing_is_left(linked)


def test_a_submodule_commits_in_itself(tmp_path: Path) -> None:
    inner = GitRepo.with_history(tmp_path / "inner")
    outer = GitRepo.with_history(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    sub = GitRepo(outer.path / "sub")
    before = sub.state()
    result = commit(a_run(sub))
    assert_only_the_run_is_committed(sub, result.sha)
    assert sub.state() == before
    assert_the_index_agrees(sub)


def test_a_sha256_repository_is_committed_to(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path, "--object-format=sha256")
    staged(repo)
    before = repo.state()
    result = commit(a_run(repo))
    assert len(result.sha) == 64
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.state() == before
    assert_the_index_agrees(repo)


def test_a_repository_below_the_git_work_tree_s_top_and_odd_names_on_the_way(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    for number, part in enumerate(("plain", 'quo"te and \\slash', "gr\u00fc\u00df", os.fsdecode(b"caf\xe9\nline"))):
        below = GitRepo(repo.path / part)
        run = a_run(below, f"r{number}")
        result = commit(run)
        changed = repo.git("diff-tree", "-r", "-z", "--no-commit-id", "--name-only", result.sha).split("\0")[:-1]
        assert changed == sorted(f"{part}/runs/f/r{number}/{name}" for name in TRACKED)
        assert repo.git("diff-index", "--cached", "HEAD") == ""


def test_a_run_reached_through_a_link_is_committed_where_it_lies(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    run = a_run(repo)
    (tmp_path / "link").symlink_to(run)
    assert_only_the_run_is_committed(repo, commit(tmp_path / "link").sha)


def test_configuration_in_the_environment_counts_where_it_says_who_and_not_where_it_says_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    hook = repo.write("hooks/reference-transaction", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    pairs = {"user.name": "From Outside", "core.hooksPath": str(hook.parent), "commit.gpgSign": "true"}
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(pairs)))
    for number, (key, value) in enumerate(pairs.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare'='true'")
    monkeypatch.setenv("GIT_CONFIG", "/nowhere")
    result = commit(a_run(repo))
    for name in [name for name in os.environ if name.startswith("GIT_CONFIG") and name != "GIT_CONFIG_NOSYSTEM"]:
        monkeypatch.delenv(name)
    assert repo.git("log", "-1", "--format=%an").strip() == "From Outside"
    assert_only_the_run_is_committed(repo, result.sha)
    assert_the_index_agrees(repo)


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"])
def test_variables_of_a_hook_or_an_alias_lead_nowhere(
    tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepo.with_history(tmp_path / "other")
    repo = GitRepo.with_history(tmp_path / "r")
    staged(repo)
    before, other_before = repo.state(), other.state()
    git_dir = other.path / ".git"
    value = {"GIT_DIR": git_dir, "GIT_INDEX_FILE": git_dir / "index", "GIT_WORK_TREE": other.path}
    run = a_run(repo)
    monkeypatch.setenv(variable, str(value[variable]))
    result = commit(run)
    monkeypatch.delenv(variable)
    assert_only_the_run_is_committed(repo, result.sha)
    assert (repo.state(), other.state()) == (before, other_before)
    assert_the_index_agrees(repo)


@pytest.mark.parametrize("index", ["index", "other.index"])
def test_the_users_own_index_in_the_environment_leaves_no_lock_and_nothing_staged(
    tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    staged(repo)
    before, run = repo.state(), a_run(repo)
    git_dir = repo.path / ".git"
    monkeypatch.setenv("GIT_INDEX_FILE", str(git_dir / index))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "0")
    held = git_dir / "refs" / "heads" / f"{repo.git('symbolic-ref', '--short', 'HEAD').strip()}.lock"
    held.touch()
    with pytest.raises(Exception, match="lock"):
        commit(run)
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert repo.state() == before, "nothing is staged for a commit that could not be made"
    held.unlink()
    monkeypatch.setenv("GIT_INDEX_FILE", str(git_dir / index))
    result = commit(run)
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.state() == before
    assert_the_index_agrees(repo)
    assert not list(git_dir.glob("*.lock"))


def test_a_named_branch_gets_the_commit_and_index_and_head_stay(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    staged(repo)
    before, head = repo.state(), repo.head()
    options = CommitOptions(mode="records/of-runs")
    first = commit(a_run(repo), options)
    assert first.branch == "records/of-runs"
    assert_only_the_run_is_committed(repo, first.sha, parents=0)
    second = commit(a_run(repo, "r2"), options)
    assert_only_the_run_is_committed(repo, second.sha, "r2")
    assert repo.git("rev-list", "records/of-runs").split() == [second.sha, first.sha]
    assert commit(repo.path / "runs/f/r1", options) == CommitResult(sha=first.sha, branch="records/of-runs", made=False)
    assert (repo.state(), repo.head()) == (before, head)
    assert repo.git("ls-files", "--", "runs") == ""
    assert_nothing_is_left(repo)


def test_the_checked_out_branch_named_is_the_current_one(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    result = commit(a_run(repo), CommitOptions(mode="main"))
    assert (result.branch, repo.head()) == ("main", result.sha)
    assert_the_index_agrees(repo)


def test_a_named_branch_that_another_work_tree_has_checked_out_is_refused(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "main")
    repo.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"))
    run = a_run(repo)
    with pytest.raises(
        CommitError, match=r"branch topic is checked out in another work tree: .*`runwatch finalize r1`"
    ):
        commit(run, CommitOptions(mode="topic"))


@pytest.mark.parametrize("name", ["a..b", "HEAD", "-x", "@{-1}", "a.lock"])
def test_a_name_that_git_would_not_give_to_a_branch_is_refused(tmp_path: Path, name: str) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("checkout", "-q", "-b", "topic")  # @{-1} is main from here
    run, before = a_run(repo), repo.git("for-each-ref")
    with pytest.raises(CommitError, match=f"{re.escape(repr(name))} is no name for a branch"):
        commit(run, CommitOptions(mode=name))
    assert repo.git("for-each-ref") == before
