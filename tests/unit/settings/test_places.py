"""Where configuration files are looked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runwatch.settings.places import project_file, user_file

OURS = "[tool.runwatch.tui]\ntheme = 'x'\n"


def test_the_nearest_file_up_to_the_top_of_the_work_tree_is_the_projects(tmp_path: Path) -> None:
    top, below = tmp_path / "top", tmp_path / "top" / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "runwatch.toml").touch()
    (top / ".git").touch()  # a file, as in a worktree or a submodule
    assert project_file(below) is None
    (top / "pyproject.toml").write_text(OURS)
    assert project_file(below) == top / "pyproject.toml"
    (top / "runwatch.toml").touch()
    assert project_file(below) == top / "runwatch.toml"
    (below / "pyproject.toml").write_text("[tool.other]\n")
    assert project_file(below) == top / "runwatch.toml"
    (below.parent / "pyproject.toml").write_text(OURS)
    assert project_file(below) == below.parent / "pyproject.toml"


def test_outside_a_work_tree_only_the_folder_itself_is_looked_at(tmp_path: Path) -> None:
    below = tmp_path / "a"
    below.mkdir()
    (tmp_path / "runwatch.toml").touch()
    assert project_file(below) is None
    assert project_file(tmp_path) == tmp_path / "runwatch.toml"


def test_the_users_file_lies_in_the_platforms_configuration_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert user_file({"HOME": "/h"}) == Path("/h/.config/runwatch/runwatch.toml")
    assert user_file({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/runwatch/runwatch.toml")
    assert user_file({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}) == Path("/h/.config/runwatch/runwatch.toml")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert user_file({"HOME": "/h"}) == Path("/h/Library/Application Support/runwatch/runwatch.toml")
