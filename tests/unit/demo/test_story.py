"""The script: complete, and true about the package it is played on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from demo_parts import spoiled_package
from runwatch.demo.story import PACKAGE, Issue, load

STORY = load()
DEMO = PACKAGE.parent


def test_every_scene_that_a_step_plays_is_written_and_every_one_written_is_played() -> None:
    sources = "".join(path.read_text() for path in DEMO.glob("*.py"))
    played = set(re.findall(r'\.ask\(\s*"(\w+)"', sources)) | set(re.findall(r'_attempt\("(\w+)"', sources))
    assert played == set(STORY.talk)


def test_every_role_that_asks_is_introduced() -> None:
    assert {line.role for scene in STORY.talk.values() for line in scene} == set(STORY.roles)


@pytest.mark.parametrize("issue", STORY.issue, ids=lambda issue: str(issue.id))
def test_every_edit_fits_the_text_that_the_edits_before_it_left(issue: Issue) -> None:
    texts: dict[str, str] = {}
    for edit in (edit for repair in issue.repair for edit in repair.edit):
        shipped = PACKAGE / "repository" / f"{edit.file}.txt"
        text = texts.setdefault(edit.file, shipped.read_text(encoding="utf-8"))
        assert text.count(edit.old.removeprefix("\n")) == 1, edit
        texts[edit.file] = text.replace(edit.old.removeprefix("\n"), edit.new.removeprefix("\n"))


def test_each_objection_is_answered_by_a_test_file() -> None:
    assert all(len(issue.regression) == len(issue.objection) + 1 for issue in STORY.issue)


def test_a_failing_test_belongs_to_the_issue_that_names_its_file() -> None:
    assert STORY.issue_of_test("tests/test_money.py::test_x").id == 17
    assert STORY.issue_of_test("tests/test_units.py::test_x").id == 18
    assert STORY.issue_of_test("tests/test_new.py::test_x").id == 18


def test_a_key_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    package = spoiled_package(tmp_path, 'reason = "Both follow', 'reasons = "Both follow')
    with pytest.raises(ValueError, match="reason"):
        load(package)
