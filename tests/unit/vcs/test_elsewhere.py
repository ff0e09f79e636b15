"""Branches measured from their commits, checked out or not, held against git's own three commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.vcs import GitError, Repository, Snapshot, no_base

NAMES = [os.fsdecode(name) for name in (b"tab\tand\nline", b"latin \xe9\xff", b'"quoted"', b" :(glob)*")]


def hard(path: Path) -> GitRepo:
    """Main, and a branch with every kind of change that is hard to count; main is checked out and has gone on."""
    repo = GitRepo.with_history(path / "repo")
    inner = GitRepo.with_history(path / "inner")
    inner.commit("second")
    for name in NAMES:
        repo.write(name, "".join(f"{name!r} {number}\n" for number in range(9)))
    repo.write("binary", bytes(range(256)))
    repo.write("tool.sh", "echo\n")
    repo.write("empty gone", "")
    repo.write("plain", "text\n")
    (repo.path / "link").symlink_to("plain")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "module")
    GitRepo(repo.path / "module").git("checkout", "-q", "HEAD~1")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "topic")
    repo.write(NAMES[0], "only\n")
    repo.git("mv", "--", NAMES[1], "renamed " + NAMES[1])
    repo.git("mv", "src/a.py", "src/z.py")
    repo.write("src/z.py", (repo.path / "src/z.py").read_text() + "more\n")
    (repo.path / NAMES[2]).unlink()
    repo.write("binary", bytes(range(255, -1, -1)))
    (repo.path / "tool.sh").chmod(0o755)
    (repo.path / "empty gone").unlink()
    repo.write("empty new", "")
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("README")
    (repo.path / "plain").unlink()
    (repo.path / "plain").symlink_to("README")  # a file becomes a link
    repo.commit("work")
    GitRepo(repo.path / "module").git("checkout", "-q", "main")
    repo.commit("move the submodule")
    repo.git("checkout", "-q", "-b", "side", "main")
    repo.write("side.py", "a\nb\n")
    repo.commit("side")
    repo.git("checkout", "-q", "topic")
    repo.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    repo.git("checkout", "-q", "main")
    repo.git("submodule", "--quiet", "update")
    repo.write("elsewhere", "main went on\n")
    repo.commit("main goes on")
    return repo


def by_git(repo: GitRepo, base: str, branch: str) -> dict[str, int]:
    """Count with `git diff --numstat`, `--name-status` and `git rev-list`."""
    between = ("-z", "-M", "--ignore-submodules=dirty", base, branch)
    tokens = iter(repo.git("diff", "--numstat", *between).split("\0"))
    added = deleted = 0
    for token in tokens:
        if token:
            plus, minus, path = token.split("\t", 2)
            added, deleted = added + int(plus.replace("-", "0")), deleted + int(minus.replace("-", "0"))
            if not path:
                next(tokens), next(tokens)
    letters = []
    tokens = iter(repo.git("diff", "--name-status", *between).split("\0"))
    for token in tokens:
        if token:
            letters.append(token[0])
            next(tokens)
            if token[0] in "RC":
                next(tokens)
    return {
        "files_created": letters.count("A"),
        "files_modified": letters.count("M") + letters.count("T"),
        "files_deleted": letters.count("D"),
        "files_renamed": letters.count("R"),
        "lines_added": added,
        "lines_deleted": deleted,
        "commits": int(repo.git("rev-list", "--count", f"{base}..{branch}")),
    }


def numbers(found: Snapshot) -> dict[str, int]:
    return {
        name: getattr(found, name) for name in Snapshot.__struct_fields__ if name.startswith(("files", "lines", "com"))
    }


def measured(repo: GitRepo, branch: str, base: str | None = None) -> Snapshot:
    with Repository(repo.path) as opened:
        return opened.branch_snapshot(branch, base)


def test_a_branch_is_counted_as_git_counts_it_whether_it_is_checked_out_or_not(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    fork = repo.git("merge-base", "main", "topic").strip()
    expected = by_git(repo, fork, "topic")
    assert expected["files_renamed"] == 3, "the empty one, too"
    assert expected["commits"] == 4
    assert all(expected.values())
    index = (repo.path / ".git/index").read_bytes()
    away = measured(repo, "topic")
    assert numbers(away) == expected
    assert (away.branch, away.base, away.dirty) == ("topic", fork, False)
    assert away.head == repo.git("rev-parse", "topic").strip()
    assert (repo.path / ".git/index").read_bytes() == index
    repo.git("checkout", "-q", "topic")
    repo.git("submodule", "--quiet", "update")
    here = measured(repo, "topic")
    assert here == away


def test_edits_count_on_the_branch_at_hand_only(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    away = measured(repo, "topic")
    repo.write("README", "edited\n")
    assert measured(repo, "topic") == away
    repo.git("checkout", "-q", "side")
    assert measured(repo, "side").dirty


def test_a_branch_of_another_work_tree_is_measured_from_here(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    away = measured(repo, "topic")
    repo.git("worktree", "add", "-q", str(tmp_path / "other"), "topic")
    (tmp_path / "other/README").write_text("edited there\n")
    assert measured(repo, "topic") == away


def test_without_a_common_ancestor_or_the_base_asked_for_there_is_one_sentence_and_no_figure(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    repo.git("branch", "same", "main")
    repo.git("checkout", "-q", "--orphan", "fresh")
    repo.commit("a history of its own")
    with pytest.raises(GitError, match="fresh and what it could have left have no commit in common"):
        measured(repo, "fresh")  # checked out, and below not
    repo.git("checkout", "-q", "-f", "main")
    with pytest.raises(GitError, match="fresh and what it could have left have no commit in common"):
        measured(repo, "fresh")
    for branch in ("topic", "main"):
        for base in ("nowhere", "--all"):
            with pytest.raises(GitError, match=rf"has no base '{base}': `git branch --all`"):
                measured(repo, branch, base)
        with pytest.raises(GitError, match=rf"{branch} and its base 'fresh' have no commit in common"):
            measured(repo, branch, "fresh")
    assert set(numbers(measured(repo, "main", "main")).values()) == {0}, "a branch that is the base has changed nothing"
    assert set(numbers(measured(repo, "main", "same")).values()) == {0}


def test_a_shallow_clone_that_lacks_the_fork_is_not_measured(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    url = f"file://{repo.path}"
    GitRepo(tmp_path).git("clone", "-q", "--depth", "1", "--no-single-branch", url, "shallow")
    clone = GitRepo(tmp_path / "shallow")
    for base in (None, "origin/main"):
        with pytest.raises(GitError, match=r"topic .* have no commit in common .*`git fetch --unshallow`"):
            measured(clone, "topic", base)  # the tip is there, the fork is not
    clone.git("fetch", "-q", "--unshallow")
    fork = repo.git("merge-base", "main", "topic").strip()
    assert numbers(measured(clone, "topic", "origin/main")) == by_git(repo, fork, "topic")


@pytest.mark.parametrize("depth", [(), ("--depth", "1")])
def test_a_clone_that_knows_a_branch_alone_does_not_measure_it_against_itself(
    tmp_path: Path, depth: tuple[str, ...]
) -> None:
    repo = hard(tmp_path)
    repo.git("checkout", "-q", "-f", "topic")  # the remote's HEAD names it
    GitRepo(tmp_path).git("clone", "-q", "--single-branch", *depth, "-b", "topic", f"file://{repo.path}", "single")
    clone = GitRepo(tmp_path / "single")
    start = clone.head()
    with pytest.raises(GitError, match=r"topic has no base in .*: `git fetch origin main:main`"):
        measured(clone, "topic")
    clone.write("README", "work\n")
    clone.commit("during the run")
    with Repository(clone.path) as opened:
        found = opened.snapshot(start_head=start)
        assert (found.base, found.commits, found.files_modified) == (start, 1, 1)
        assert "`git fetch origin main:main`" in (no_base(opened, opened.head(), None) or "")


def test_the_remote_s_main_is_a_base_where_its_head_is_the_branch_itself_or_unknown(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    fork = repo.git("merge-base", "main", "topic").strip()
    repo.git("checkout", "-q", "-f", "topic")
    GitRepo(tmp_path).git("clone", "-q", "-b", "topic", f"file://{repo.path}", "whole")
    clone = GitRepo(tmp_path / "whole")
    assert numbers(measured(clone, "topic")) == by_git(repo, fork, "topic")
    clone.git("remote", "set-head", "origin", "--delete")  # as where a pipeline fetches instead of cloning
    assert measured(clone, "topic").base == fork
    clone.git("checkout", "-q", "--detach")
    with Repository(clone.path) as opened:
        assert opened.snapshot().base == fork
        assert no_base(opened, opened.head(), None) is None


def test_main_in_a_clone_is_measured_against_what_the_remote_has_of_it(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    repo.git("checkout", "-q", "-f", "main")
    GitRepo(tmp_path).git("clone", "-q", "--single-branch", f"file://{repo.path}", "main-alone")
    clone = GitRepo(tmp_path / "main-alone")
    assert set(numbers(measured(clone, "main")).values()) == {0}
    clone.write("new", "1\n2\n")
    clone.commit("not pushed")
    found = measured(clone, "main")
    assert (found.base, found.commits, found.lines_added) == (repo.head(), 1, 2)


def test_the_configured_base_comes_first_and_runs_are_left_out(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    side = repo.git("rev-parse", "side").strip()
    expected = by_git(repo, side, "topic")
    repo.git("checkout", "-q", "topic")
    repo.write("runs/f/r/summary.md", "# a run\n")
    repo.commit("runwatch: f/r completed\n\nbody\n\nRunwatch-Run: f/r\n", "runs")
    repo.git("checkout", "-q", "main")
    assert numbers(measured(repo, "topic", "side")) == expected


def test_a_branch_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    for name in ("nowhere", "--all", "-q"):
        with pytest.raises(GitError, match=r"has no branch .*: `git branch --all` lists them\."):
            measured(repo, name)


def test_a_merged_commit_has_reached_its_base_and_a_squashed_one_has_not(tmp_path: Path) -> None:
    repo = hard(tmp_path)
    tip = repo.git("rev-parse", "topic").strip()
    with Repository(repo.path) as opened:
        assert opened.reached_base(tip, "topic") is None
    repo.git("branch", "squashed", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge topic", "topic")
    merged = repo.head()
    repo.git("branch", "-q", "-D", "topic")
    with Repository(repo.path) as opened:
        assert opened.reached_base(tip, "topic") == merged
        assert opened.reached_base(tip, "topic", "squashed") == merged  # main comes after the configured one
        assert opened.reached_base(merged, "main") is None, "a branch is no base of itself"
