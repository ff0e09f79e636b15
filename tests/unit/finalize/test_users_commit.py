"""Who is taken for somebody that commits here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.finalize.users_commit import _is_commit, _is_through, commit_around, find_commit, outlasting


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("git commit", True),
        ("/usr/bin/git commit -m x", True),
        ("git -c a=b -C /x --no-pager --git-dir /y commit", True),
        ("/usr/lib/git-core/git-commit", True),
        ("git log commit", False),
        ("git -C commit status", False),
        ("git", False),
        ("sh commit", False),
        ("", False),
    ],
)
def test_a_commit_is_told_by_its_words(command: str, expected: bool) -> None:
    assert _is_commit([*command.encode().split(b" "), b""]) is expected


@contextmanager
def a_process(*words: str, cwd: Path) -> Iterator[int]:
    """A process with these words behind its program's, until the block ends."""
    with subprocess.Popen(["sh", "-c", "echo up; read x", *words], cwd=cwd, stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        yield child.pid
        child.communicate(b"\n")


def test_an_editor_on_the_message_is_seen_wherever_it_works(tmp_path: Path) -> None:
    git_dir = tmp_path / ".git"
    with a_process("sh", str(git_dir / "COMMIT_EDITMSG"), cwd=Path("/")) as pid:
        assert find_commit(tmp_path, git_dir, set()) == pid
        assert find_commit(tmp_path / "other", tmp_path / "other/.git", set()) is None
    assert find_commit(tmp_path, git_dir, set()) is None


def test_processes_that_were_looked_at_are_passed_over(tmp_path: Path) -> None:
    git_dir = tmp_path / ".git"
    known: set[int] = set()
    with a_process("sh", cwd=tmp_path) as pid:
        assert find_commit(tmp_path, git_dir, known) is None
        assert pid in known
    with a_process("sh", str(git_dir / "COMMIT_EDITMSG"), cwd=tmp_path) as pid:
        assert find_commit(tmp_path, git_dir, {pid}) is None
        assert find_commit(tmp_path, git_dir, known) == pid


@contextmanager
def a_git_commit(cwd: Path, *options: str, **environ: str) -> Iterator[int]:
    """A process that looks like `git commit` at work in a folder, until the block ends."""
    script = cwd / (options[0] if options else "commit")
    script.write_text("echo up\nread x\n")
    with subprocess.Popen(
        ["git", *options, "commit"], executable="/bin/sh", cwd=cwd, stdin=-1, stdout=-1, env=os.environ | environ
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        yield child.pid
        child.communicate(b"\n")
    script.unlink()


def test_a_commit_in_a_repository_within_this_one_is_none_of_this(tmp_path: Path) -> None:
    repo, nested = GitRepo.create(tmp_path), GitRepo.create(tmp_path / "sub/nested")
    git_dir = repo.path / ".git"
    with a_git_commit(nested.path) as pid:
        assert find_commit(repo.path, git_dir, set()) is None
        assert find_commit(nested.path, nested.path / ".git", set()) == pid
    for below in (repo.path, tmp_path / "sub"):
        with a_git_commit(below) as pid:
            assert find_commit(repo.path, git_dir, set()) == pid


def test_a_commit_belongs_to_the_git_folder_that_it_was_given(tmp_path: Path) -> None:
    repo, nested = GitRepo.create(tmp_path), GitRepo.create(tmp_path / "nested")
    git_dir = repo.path / ".git"
    with a_git_commit(nested.path, GIT_DIR=str(git_dir)) as pid:
        assert find_commit(repo.path, git_dir, set()) == pid
        assert find_commit(nested.path, nested.path / ".git", set()) is None
    with a_git_commit(repo.path, GIT_DIR="nested/.git"):
        assert find_commit(repo.path, git_dir, set()) is None
    with a_git_commit(nested.path, GIT_DIR="named/from/elsewhere") as pid:
        assert find_commit(repo.path, git_dir, set()) == pid


def test_a_commit_that_waits_for_us_is_told_from_others(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    git_dir = repo.path / ".git"
    with a_git_commit(repo.path) as pid:
        assert commit_around(repo.path, git_dir) is None
        assert commit_around(repo.path, git_dir, within=[pid]) == pid
        assert find_commit(repo.path, git_dir, set(), within=[pid]) is None
        assert commit_around(repo.path / "other", repo.path / "other/.git", within=[pid]) is None


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("/bin/sh .git/hooks/pre-commit", False),
        (".git/hooks/commit-msg .git/COMMIT_EDITMSG", False),
        ("/bin/sh .git/hooks/post-commit", True),
        ("python3 /x/hooks/post-rewrite amend", True),
        ("", False),
    ],
)
def test_hooks_behind_a_commit_are_told_by_their_names(hook: str, expected: bool) -> None:
    assert _is_through([*hook.encode().split(b" "), b""]) is expected


def test_who_has_ended_is_not_waited_for_and_who_goes_on_is_named(tmp_path: Path) -> None:
    with a_process("sh", cwd=tmp_path) as pid:
        assert outlasting([pid], 0.0) == pid
    assert outlasting([pid], 60.0) is None
