"""What git keeps in its files, read without git, against what git says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.vcs import Head, change_key, find_work_tree, git_dir, read_head


def said_by_git(repo: GitRepo) -> Head:
    branch = repo.git("symbolic-ref", "--short", "-q", "HEAD", check=False).strip()
    sha = repo.git("rev-parse", "-q", "--verify", "HEAD", check=False).strip()
    return Head(branch or None, sha or None)


def test_a_branch_and_its_commit_are_read(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    assert read_head(repo.path) == said_by_git(repo) == Head("main", repo.head())


def test_an_unborn_branch_has_no_commit(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    assert read_head(repo.path) == said_by_git(repo) == Head("main", None)


def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("checkout", "-q", "--detach")
    assert read_head(repo.path) == said_by_git(repo) == Head(None, repo.head())


def test_packed_refs_are_read_and_a_loose_ref_beats_them(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("branch", "xmain")  # a name that ends like the one that is looked for
    repo.git("pack-refs", "--all")
    assert not (repo.path / ".git/refs/heads/main").exists()
    assert read_head(repo.path) == said_by_git(repo) == Head("main", repo.head())
    newer = repo.commit("second")
    assert read_head(repo.path) == said_by_git(repo) == Head("main", newer)


def test_a_branch_that_is_a_symbolic_ref_is_followed(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    repo.git("symbolic-ref", "HEAD", "refs/heads/alias")
    assert read_head(repo.path).sha == repo.head()


def test_a_ref_that_points_at_itself_ends(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.write(".git/refs/heads/main", "ref: refs/heads/main\n")
    assert read_head(repo.path) == Head("main", None)


def test_a_linked_worktree_has_its_own_head_and_shares_the_branches(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "main")
    repo.git("worktree", "add", "-q", "-b", "topic/one", str(tmp_path / "linked"))
    linked = GitRepo(tmp_path / "linked")
    linked.write("README", "changed\n")
    linked.commit("on the topic")
    assert find_work_tree(linked.path / "src") == linked.path
    assert git_dir(linked.path) == repo.path / ".git/worktrees/linked"
    assert read_head(linked.path) == said_by_git(linked) == Head("topic/one", linked.head())
    assert read_head(repo.path) == said_by_git(repo)
    repo.git("pack-refs", "--all")
    assert read_head(linked.path) == said_by_git(linked)


def test_a_submodule_is_a_work_tree_of_its_own(tmp_path: Path) -> None:
    inner = GitRepo.with_history(tmp_path / "inner")
    outer = GitRepo.with_history(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "vendor/inner")
    below = outer.path / "vendor/inner"
    assert find_work_tree(below / "src") == below
    assert git_dir(below) == outer.path / ".git/modules/vendor/inner"
    assert read_head(below) == said_by_git(GitRepo(below))


def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path, "--object-format=sha256")
    assert len(repo.head()) == 64
    assert read_head(repo.path) == said_by_git(repo)


def test_a_plain_folder_is_no_work_tree(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    assert find_work_tree(tmp_path / "deep/er") is None
    assert read_head(tmp_path) == Head(None, None)


@pytest.mark.parametrize("content", [b"", b"gitdir: /nowhere\n", b"\xff\xfe", b"gitdir: "])
def test_a_broken_git_file_is_no_work_tree(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".git").write_bytes(content)
    assert find_work_tree(tmp_path) is None


def test_a_work_tree_is_found_through_a_link_and_from_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path / "real")
    (tmp_path / "link").symlink_to(repo.path / "src")
    assert find_work_tree(tmp_path / "link") == repo.path
    assert find_work_tree(repo.path / "runs/new/one") == repo.path


def test_a_file_name_that_is_no_utf8_is_no_obstacle(tmp_path: Path) -> None:
    repo = GitRepo.with_history(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")))
    assert find_work_tree(repo.path / "src") == repo.path
    assert read_head(repo.path).sha == repo.head()


def test_the_change_key_changes_with_what_git_does_and_not_by_itself(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    folder = tmp_path / ".git"
    keys = [change_key(folder)]
    assert change_key(folder) == keys[0]
    repo.write("README", "staged\n")
    repo.git("add", "README")
    keys.append(change_key(folder))
    repo.git("commit", "-q", "-m", "second")
    keys.append(change_key(folder))
    repo.git("checkout", "-q", "-b", "topic")
    keys.append(change_key(folder))
    repo.git("pack-refs", "--all")
    keys.append(change_key(folder))
    assert len(set(keys)) == len(keys)
