"""Who is taken for somebody that commits here."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runwatch.finalize.committing import _is_commit, find_commit


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
