"""Replacing a file whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runwatch.journal.atomic import write_atomic, write_json


def test_the_file_is_private_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text("old")
    write_json(path, {"a": [1, "é"]})
    assert path.read_text() == '{\n  "a": [\n    1,\n    "é"\n  ]\n}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["metadata.json"]


def test_a_failing_rename_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    (target / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_atomic(target, b"new")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_link_in_its_place_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / "link").is_symlink()
