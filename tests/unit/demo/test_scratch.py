"""The scratch repository: complete, clean, with an identity of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.demo import scratch
from runwatch.demo.registry import TaskRegistry
from runwatch.runs.place import RULES


@pytest.fixture
def made(tmp_path: Path) -> GitRepo:
    return GitRepo(scratch.make(str(tmp_path / "new" / "folder")))


def test_it_is_clean_and_on_the_agents_branch_with_one_commit_behind(made: GitRepo) -> None:
    assert made.git("status", "--porcelain", "--ignored").split() == ["!!", ".demo/"]
    assert made.git("branch", "--show-current").strip() == "repair"
    assert made.git("rev-list", "--count", "main") == made.git("rev-list", "--count", "repair") == "1\n"


def test_no_file_carries_the_name_that_it_is_shipped_under(made: GitRepo) -> None:
    files = made.git("ls-files").split()
    assert {".gitignore", "pyproject.toml", "runwatch.toml", "src/billing/money.py", "tests/test_money.py"} <= {*files}
    assert not [name for name in files if name.endswith(".txt") or "dot-" in name]


def test_commits_are_the_demos_and_not_the_callers(made: GitRepo) -> None:
    assert made.git("log", "-1", "--format=%an <%ae> %cn") == "runwatch demo <demo@example.invalid> runwatch demo\n"
    assert made.git("config", "--local", "commit.gpgsign") == "false\n"


def test_git_tracks_of_a_run_what_init_would_have_it_track(made: GitRepo) -> None:
    assert set(RULES) <= {*(made.path / ".gitignore").read_text().splitlines()}


def test_the_registry_holds_the_issues_of_the_story(made: GitRepo) -> None:
    assert [number for number, _, _ in TaskRegistry(made.path / scratch.REGISTRY).open_issues()] == [17, 18]


def test_without_a_folder_it_is_a_new_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = scratch.make(None), scratch.make(None)
    assert first != second
    assert {first.parent, second.parent} == {tmp_path.resolve()}
    assert first.name.startswith("runwatch-demo-")


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    with pytest.raises(scratch.ScratchTaken, match="not an empty folder"):
        scratch.make(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
