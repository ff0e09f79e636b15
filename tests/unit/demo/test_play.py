"""What `runwatch demo` refuses, how fast it plays, and what it says at the end."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from runwatch.demo import pace, play, scratch


@pytest.fixture
def nothing_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Path:
        raise AssertionError("a scratch repository was made")

    monkeypatch.setattr(scratch, "make", fail)


@pytest.mark.usefixtures("nothing_made")
def test_without_pytest_it_says_in_one_sentence_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play, "find_spec", lambda name: None if name == "pytest" else object())
    assert play.play(headless=True, folder=None) == 1
    assert capsys.readouterr() == ("", "runwatch: the demo needs pytest: pip install 'runwatch[demo]'\n")


@pytest.mark.usefixtures("nothing_made")
def test_without_git_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert play.play(headless=True, folder=None) == 1
    assert "needs git" in capsys.readouterr().err


def test_a_folder_that_is_taken_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "theirs").write_text("theirs")
    assert play.play(headless=True, folder=str(tmp_path)) == 2
    assert capsys.readouterr().err == f"runwatch: {tmp_path} is not an empty folder: name one that is new or empty.\n"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert play.play(headless=True, folder=str(tmp_path / "file" / "folder")) == 1
    assert capsys.readouterr().err.startswith("runwatch: the scratch repository cannot be made: ")


def test_it_plays_slower_where_somebody_watches_and_as_a_test_says() -> None:
    assert play._pace({}, watched=True) == pace.ON_TERMINAL > pace.UNWATCHED == play._pace({}, watched=False)
    assert play._pace({play.PACE: "0"}, watched=True) == 0.0
    assert play._pace({play.PACE: "-3"}, watched=True) == 0.0
    assert play._pace({play.PACE: "soon"}, watched=True) == pace.ON_TERMINAL


def test_the_commands_at_the_end_hold_in_a_folder_with_a_space_and_with_another_runs_folder(tmp_path: Path) -> None:
    root = tmp_path / "a folder"
    lines = play._closing(root, 0, {"RUNWATCH_RUNS_DIR": "/elsewhere"})
    assert f"  cd {shlex.quote(str(root))}" in lines
    assert "  unset RUNWATCH_RUNS_DIR" in lines
    assert "the package is repaired" in lines[1]
    assert "the run ended with 3" in play._closing(root, 3, {})[1]


def test_runwatch_is_called_by_its_path_where_the_shell_would_not_find_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "runwatch"
    monkeypatch.setattr(sys, "executable", str(script.with_name("python")))
    monkeypatch.setenv("PATH", os.defpath)
    assert play._command_name() == f"{script.with_name('python')} -P -m runwatch.cli.main"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert play._command_name() == str(script)
    monkeypatch.setenv("PATH", str(script.parent))
    assert play._command_name() == "runwatch"
