"""What init writes: rules added once, a former line replaced and named, everything else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.runs.place import RULES, write_ignore_rules


def test_rules_are_added_behind_what_is_there(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"*.pyc\n\xff weird\n\n")
    write_ignore_rules(tmp_path)
    lines = (tmp_path / ".gitignore").read_bytes().splitlines()
    assert lines[:2] == [b"*.pyc", b"\xff weird"]
    assert [line.decode() for line in lines[-len(RULES) :]] == list(RULES)


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    write_ignore_rules(tmp_path)
    before = (tmp_path / ".gitignore").read_bytes()
    assert write_ignore_rules(tmp_path).what == "has the rules already"
    assert (tmp_path / ".gitignore").read_bytes() == before


@pytest.mark.parametrize("former", ["runs/", "/runs", "runs/*", "/runs/**", "runs"])
def test_a_former_line_is_named_and_replaced(tmp_path: Path, former: str) -> None:
    (tmp_path / ".gitignore").write_text(f"a\n{former}\nruns-old/\n")
    assert repr(former) in write_ignore_rules(tmp_path).what
    lines = (tmp_path / ".gitignore").read_text().splitlines()
    assert former not in lines or former in RULES
    assert lines[:2] == ["a", "runs-old/"]


def test_the_star_of_a_first_run_is_taken_away_but_not_rules_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".gitignore").write_text("*\n")
    write_ignore_rules(tmp_path)
    assert not (tmp_path / "runs" / ".gitignore").exists()
    (tmp_path / ".gitignore").unlink()
    (tmp_path / "runs" / ".gitignore").write_text("*\n!mine\n")
    write_ignore_rules(tmp_path)
    assert (tmp_path / "runs" / ".gitignore").exists()
