"""The commit in every state that a user's repository can be in: one commit of five files, and all else as before."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
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
from runwatch.finalize import commit as commit_module
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run
from runwatch.finalize.index_lock import IndexLock

PATIENCE = CommitOptions(patience_s=0.3)


def commit(run: Path, options: CommitOptions = PATIENCE, message: str = MESSAGE) -> CommitResult:
    result = commit_run(run, [run / name for name in TRACKED], message, options)
    assert result is not None
    return result


def clean(repo: GitRepo) -> None:
    pass


def staged(repo: GitRepo) -> None:
    repo.write("README", "staged\n")
    repo.write("new.txt", "staged and new\n")
    repo.git("add", "README", "new.txt")
    repo.git("rm", "-q", "--cached", "src/a.py")
    repo.write("README", "staged, then edited\n")


def intent_to_add(repo: GitRepo) -> None:
    repo.write("planned.txt", "soon\n")
    repo.git("add", "--intent-to-add", "planned.txt")


def dirty(repo: GitRepo) -> None:
    repo.write("README", "edited\n")
    (repo.path / "src/a.py").unlink()
    repo.write("untracked/file", "x\n")


def marked(repo: GitRepo) -> None:
    repo.git("update-index", "--assume-unchanged", "README")
    repo.git("update-index", "--skip-worktree", "src/a.py")


def split_index(repo: GitRepo) -> None:
    repo.git("config", "core.splitIndex", "true")
    repo.git("update-index", "--split-index")
    staged(repo)


def split_index_without_the_setting(repo: GitRepo) -> None:
    repo.git("update-index", "--split-index")
    staged(repo)


def untracked_cache(repo: GitRepo) -> None:
    repo.git("config", "core.untrackedCache", "true")
    repo.git("update-index", "--untracked-cache")
    repo.git("status")
    dirty(repo)


def index_version_four(repo: GitRepo) -> None:
    repo.git("update-index", "--index-version", "4")
    staged(repo)


def packed_and_no_reflog(repo: GitRepo) -> None:
    repo.git("config", "core.logAllRefUpdates", "false")
    repo.git("pack-refs", "--all")
    repo.git("gc", "-q")


def unmerged_entries(repo: GitRepo) -> None:
    """A conflict without a merge under way, as a stash that was popped leaves it."""
    repo.write("README", "stashed\n")
    repo.git("stash", "-q")
    repo.write("README", "committed\n")
    repo.commit("other")
    repo.git("stash", "pop", check=False)
    assert "UU README" in repo.git("status", "--porcelain")


def runs_before(repo: GitRepo) -> None:
    for number in range(3):
        commit(a_run(repo, f"before_{number}"))
    staged(repo)


def hooks_that_fail(repo: GitRepo) -> None:
    trace = repo.path / ".git/hook-ran"
    names = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "reference-transaction")
    for name in (*names, "post-index-change", "fsmonitor"):
        repo.write(f".git/hooks/{name}", f"#!/bin/sh\necho {name} >> '{trace}'\nexit 1\n").chmod(0o755)


def own_hooks_folder_and_monitor(repo: GitRepo) -> None:
    hooks_that_fail(repo)
    repo.git("config", "core.hooksPath", str(repo.path / ".git/hooks"))
    repo.git("config", "core.fsmonitor", str(repo.path / ".git/hooks/fsmonitor"))


def monitored(repo: GitRepo) -> None:
    own_hooks_folder_and_monitor(repo)
    repo.git("update-index", "--fsmonitor")
    assert b"FSMN" in (repo.path / ".git/index").read_bytes()


def signing_without_a_key(repo: GitRepo) -> None:
    repo.git("config", "commit.gpgSign", "true")
    repo.git("config", "user.signingKey", "0123456789ABCDEF")
    repo.git("config", "gpg.program", "/bin/false")


def autocrlf(repo: GitRepo) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.git("config", "core.safecrlf", "true")
    repo.write("crlf.txt", "dos\r\n")


def sparse(repo: GitRepo) -> None:
    repo.write("other/deep/file", "x\n")
    repo.commit("wider")
    repo.git("sparse-checkout", "set", "--cone", "src")


def sparse_index(repo: GitRepo) -> None:
    repo.write("other/deep/file", "x\n")
    repo.commit("wider")
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "src")
    repo.write("src/a.py", "staged\n")
    repo.git("add", "src/a.py")


def sparse_without_cones(repo: GitRepo) -> None:
    repo.write("other/deep/file", "x\n")
    repo.commit("wider")
    repo.git("sparse-checkout", "set", "--no-cone", "/src/", "!/runs/")
    repo.write("src/a.py", "edited\n")


def shared_by_a_group(repo: GitRepo) -> None:
    repo.git("config", "core.sharedRepository", "group")
    staged(repo)


def attributes_of_windows(repo: GitRepo) -> None:
    repo.write(".gitattributes", "* text=auto eol=crlf\r\n*.json -text\r\n")
    repo.write("crlf.txt", "dos\r\n")
    repo.git("add", ".gitattributes", "crlf.txt")


def large_files_without_the_filter(repo: GitRepo) -> None:
    repo.write(".gitattributes", "*.json filter=lfs diff=lfs merge=lfs -text\n")
    staged(repo)


def ignored_everywhere(repo: GitRepo) -> None:
    repo.write(".gitignore", "runs/\n*.json\n*.md\n*.txt\n")
    repo.write(".git/info/exclude", "summary.md\n")
    repo.git("config", "core.excludesFile", str(repo.write(".git/excludes", "*\n")))
    repo.write("README", "edited\n")


def alternates(repo: GitRepo) -> None:
    """Every object lies in another repository."""
    other = repo.path.parent / "other.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(other))
    repo.write(".git/objects/info/alternates", f"{other}/objects\n")
    for folder in (repo.path / ".git/objects").glob("??"):
        shutil.rmtree(folder)
    assert repo.git("count-objects", "-v").splitlines()[0] == "count: 0"
    staged(repo)


def odd_settings(repo: GitRepo) -> None:
    repo.git("config", "core.commentChar", "R")
    repo.git("config", "commit.cleanup", "strip")
    repo.git("config", "commit.template", "/nowhere")
    repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repo.git("config", "core.quotePath", "false")
    repo.git("config", "color.ui", "always")
    repo.git("config", "core.fsync", "none")
    repo.git("config", "log.showSignature", "true")


STATES: list[Callable[[GitRepo], None]] = [
    clean,
    staged,
    intent_to_add,
    dirty,
    marked,
    split_index,
    split_index_without_the_setting,
    untracked_cache,
    index_version_four,
    packed_and_no_reflog,
    unmerged_entries,
    runs_before,
    hooks_that_fail,
    own_hooks_folder_and_monitor,
    monitored,
    signing_without_a_key,
    autocrlf,
    sparse,
    sparse_index,
    sparse_without_cones,
    shared_by_a_group,
    attributes_of_windows,
    large_files_without_the_filter,
    ignored_everywhere,
    alternates,
    odd_settings,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_one_commit_of_five_files_and_all_else_as_before(tmp_path: Path, state: Callable[[GitRepo], None]) -> None:
    repo = GitRepo.with_history(tmp_path / "r")
    state(repo)
    before = repo.state()
    extensions = known_extensions(repo)
    tip = repo.head()
    run = a_run(repo)
    (repo.path / ".git/hook-ran").unlink(missing_ok=True)  # the user's own commands so far may have run some
    result = commit(run)
    assert (result.made, result.branch, result.sha) == (True, "main", repo.head())
    assert repo.git("rev-parse", "HEAD~1").strip() == tip
    assert repo.git("log", "-1", "--format=%B").strip() == MESSAGE.strip()
    assert not (repo.path / ".git/hook-ran").exists()
    assert_only_the_run_is_committed(repo, result.sha)
    assert known_extensions(repo) == extensions
    assert repo.state() == before
    assert_the_index_agrees(repo)
    assert_nothing_is_left(repo)
    again = commit(run)
    assert again == CommitResult(sha=result.sha, branch="main", made=False)
    assert repo.head() == result.sha
    assert repo.state() == before


@pytest.fixture
def no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system as exFAT is; none such can be mounted where tests run."""

    def refuse(source: object, target: object, **options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), source)

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("no_hard_links")
@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("state", [staged, split_index, monitored, sparse_index], ids=lambda state: state.__name__)
def test_a_file_system_without_hard_links_is_committed_to(
    tmp_path: Path, state: Callable[[GitRepo], None], anew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if anew:  # under the lock, as after tries that came too late
        monkeypatch.setattr(commit_module, "_PATIENT_TRIES", 0)
        monkeypatch.setattr(IndexLock, "fresh", False)
    test_one_commit_of_five_files_and_all_else_as_before(tmp_path, state)


@pytest.mark.usefixtures("no_hard_links")
def test_a_held_lock_is_respected_without_hard_links_too(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    lock = repo.write(".git/index.lock", "somebody's")
    with pytest.raises(CommitError, match=r"index\.lock is held"):
        commit(a_run(repo))
    assert lock.read_text() == "somebody's"
    lock.unlink()
    assert_nothing_is_left(repo)


def test_summaries_outside_a_narrowed_sparse_checkout_are_committed_once_more(tmp_path: Path) -> None:
    """Git marks such entries as not to be looked at: the commit must hold what is on disk all the same."""
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    commit(run)
    for name in TRACKED:
        repo.git("update-index", "--skip-worktree", f"runs/f/r1/{name}")
    (run / "summary.md").write_text("# reconciled\n")
    second = commit(run)
    assert second.made
    assert repo.git("show", "HEAD:runs/f/r1/summary.md") == "# reconciled\n"
    assert repo.git("diff-index", "--cached", "HEAD") == ""


def known_extensions(repo: GitRepo) -> set[bytes]:
    """Which optional parts the index file has."""
    raw = (repo.path / ".git/index").read_bytes()
    return {name for name in (b"link", b"UNTR", b"FSMN", b"sdir") if name in raw}


def test_an_unborn_branch_gets_its_first_commit_and_what_is_staged_stays_staged(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    repo.write("staged.txt", "s\n")
    repo.git("add", "staged.txt")
    before = repo.state()
    result = commit(a_run(repo))
    assert_only_the_run_is_committed(repo, result.sha, parents=0)
    assert repo.state() == before
    assert_the_index_agrees(repo)
    assert commit(repo.path / "runs/f/r1") == CommitResult(sha=result.sha, branch="main", made=False)


def test_an_unborn_branch_without_an_index_gets_its_first_commit(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    assert not (repo.path / ".git/index").exists()
    result = commit(a_run(repo))
    assert_only_the_run_is_committed(repo, result.sha, parents=0)
    assert_the_index_agrees(repo)


def test_a_detached_head_moves_and_no_branch_does(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    main = repo.head()
    repo.git("checkout", "-q", "--detach")
    staged(repo)
    before = repo.state()
    result = commit(a_run(repo))
    assert result.branch is None
    assert repo.head() == result.sha
    assert repo.git("rev-parse", "main").strip() == main
    assert_only_the_run_is_committed(repo, result.sha)
    assert repo.state() == before
    assert_the_index_agrees(repo)


def test_only_files_that_are_there_and_are_regular_are_committed(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    (run / "commit.txt").unlink()
    (run / "summary.md").unlink()
    (run / "summary.md").symlink_to("/etc/passwd")
    result = commit(run)
    names = repo.git("diff-tree", "-r", "--no-commit-id", "--name-only", result.sha).split()
    assert names == [f"runs/f/r1/{name}" for name in ("logs_summary.txt", "metadata.json", "metrics.json")]


def test_without_an_identity_the_commit_is_runwatch_s_and_names_no_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = GitRepo.with_history(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    commit(a_run(repo))
    assert repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>").strip() == (
        "runwatch <runwatch@localhost> runwatch <runwatch@localhost>"
    )
    repo.git("config", "user.name", "Someone")
    commit(a_run(repo, "r2"))
    assert repo.git("log", "-1", "--format=%an <%ae>").strip() == "Someone <runwatch@localhost>"


def test_the_user_is_author_and_committer_unless_another_author_is_configured(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    commit(a_run(repo))
    assert repo.git("log", "-1", "--format=%an <%ae> %cn").strip() == "A Tester <tester@example.invalid> A Tester"
    commit(a_run(repo, "r2"), CommitOptions(author="A Bot <bot@example.invalid>"))
    assert repo.git("log", "-1", "--format=%an <%ae> %cn").strip() == "A Bot <bot@example.invalid> A Tester"


def test_filters_and_line_ends_apply_as_on_git_add(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    repo.git("config", "filter.shout.smudge", "tr A-Z a-z")
    repo.write(".gitattributes", "*.md filter=shout\n*.txt text eol=crlf\n")
    repo.commit("attributes")
    run = a_run(repo)
    (run / "logs_summary.txt").write_bytes(b"one\r\ntwo\r\n")
    result = commit(run)
    assert repo.git("show", f"{result.sha}:runs/f/r1/summary.md") == "SUMMARY.MD OF R1, AS IT WAS\n"
    assert repo.git("show", f"{result.sha}:runs/f/r1/logs_summary.txt") == "one\ntwo\n"
    assert_the_index_agrees(repo)
    assert not commit(run).made


def test_the_user_s_next_commit_keeps_the_run(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    staged(repo)
    commit(a_run(repo))
    repo.git("commit", "-q", "-m", "what was staged")
    assert repo.git("show", "--name-status", "--format=", "HEAD").splitlines() == [
        "M\tREADME",
        "A\tnew.txt",
        "D\tsrc/a.py",
    ]
    assert_the_index_agrees(repo)


def test_a_run_that_was_committed_is_found_behind_later_commits(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    first = commit(run)
    repo.write("README", "later\n")
    repo.commit("later", "README")
    commit(a_run(repo, "r2"))
    head = repo.head()
    assert commit(run) == CommitResult(sha=first.sha, branch="main", made=False)
    assert repo.head() == head


def test_summaries_that_changed_are_committed_once_more(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    first = commit(run)
    (run / "summary.md").write_text("# reconciled\n")
    second = commit(run)
    assert second.made
    assert repo.git("diff", "--name-only", first.sha, second.sha).split() == ["runs/f/r1/summary.md"]
    assert_the_index_agrees(repo)


def test_edits_within_the_tick_of_the_index_are_still_seen(tmp_path: Path) -> None:
    """Git tells a file edited right after `git add` by the index's own time: a copy must not look newer."""
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    readme = repo.write("README", "staged\n")
    repo.git("add", "README")
    index = repo.path / ".git/index"
    stamp = readme.stat()
    readme.write_text("edited\n")  # the same length
    for path in (readme, index):
        os.utime(path, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    repo.git("config", "core.trustctime", "false")
    assert repo.git("status", "--porcelain", "-uno", GIT_OPTIONAL_LOCKS="0").splitlines() == ["MM README"]
    commit(run)
    assert repo.git("status", "--porcelain", "-uno", GIT_OPTIONAL_LOCKS="0").splitlines() == ["MM README"]


def test_off_makes_no_commit(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    head = repo.head()
    assert commit_run(a_run(repo), TRACKED, MESSAGE, CommitOptions(mode="off")) is None
    assert repo.head() == head


def test_the_reflog_names_the_run_and_the_objects_are_sound(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    result = commit(a_run(repo))
    assert repo.git("reflog", "-1", "--format=%H %gs").strip() == f"{result.sha} runwatch: f/r1 completed"
    assert repo.git("reflog", "-1", "--format=%H", "main").strip() == result.sha
    subprocess.run(["git", "fsck", "--strict"], cwd=repo.path, check=True, capture_output=True)
