"""The commit in every state that a user's repository can be in: one commit of five files, and all else as before."""

from __future__ import annotations

import os
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
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run

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


def test_only_files_that_are_there_and_are_regular_are_committed(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    run = a_run(repo)
    (run / "commit.txt").unlink()
    (run / "summary.md").unlink()
    (run / "summary.md").symlink_to("/etc/passwd")
    result = commit(run)
    names = repo.git("diff-tree", "-r", "--no-commit-id", "--name-only", result.sha).split()
    assert names == [f"runs/f/r1/{name}" for name in ("logs_summary.txt", "metadata.json", "metrics.json")]


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"])
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
    monkeypatch.setenv(variable, str(value.get(variable, git_dir / "objects")))
    result = commit(run)
    monkeypatch.delenv(variable)
    assert_only_the_run_is_committed(repo, result.sha)
    assert (repo.state(), other.state()) == (before, other_before)
    assert_the_index_agrees(repo)


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
    with pytest.raises(CommitError, match=r"'a\.\.b' is no name for a branch"):
        commit(run, CommitOptions(mode="a..b"))


def test_the_reflog_names_the_run_and_the_objects_are_sound(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    result = commit(a_run(repo))
    assert repo.git("reflog", "-1", "--format=%H %gs").strip() == f"{result.sha} runwatch: f/r1 completed"
    assert repo.git("reflog", "-1", "--format=%H", "main").strip() == result.sha
    subprocess.run(["git", "fsck", "--strict"], cwd=repo.path, check=True, capture_output=True)
