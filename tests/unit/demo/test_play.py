"""What `runwatch demo` refuses, how fast it plays, and what it says at the end."""

from __future__ import annotations

import json
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


def recorded(root: Path, *statuses: str | None) -> Path:
    """Write what is looked at of a run; without a status nothing has been folded yet."""
    run = root / "runs" / "demo" / "1"
    run.mkdir(parents=True)
    (run / "events.jsonl").touch()
    for status in statuses:
        (run / "metadata.json").write_text(json.dumps({"status": status}))
    return root


def test_the_closing_lines_name_the_folder_quoted_and_fit_80_columns(tmp_path: Path) -> None:
    root = recorded(tmp_path / "a folder", "completed")
    lines = play._closing(root, 0, {"PATH": "/bin"})
    assert f"  cd '{root}'" in lines
    assert "the package is repaired" in lines[1]
    assert max(len(line) for line in lines if str(root) not in line and "PATH=" not in line) <= 80


def test_they_say_how_the_run_ended_and_when_it_has_not(tmp_path: Path) -> None:
    assert "the run ended with 3" in play._closing(recorded(tmp_path / "1", "failed"), 3, {})[1]
    assert "the run goes on" in play._closing(recorded(tmp_path / "2", None), 0, {})[1]
    assert "the run goes on" in play._closing(recorded(tmp_path / "3"), 0, {})[1]


def test_a_run_that_ended_early_is_not_looked_for_at_its_fourth_step(tmp_path: Path) -> None:
    recorded(tmp_path, "interrupted")
    assert not [line for line in play._closing(tmp_path, 130, {}) if "--step" in line]
    assert [line for line in play._closing(tmp_path, 0, {}) if "--step 4" in line]


def test_a_run_that_never_began_is_not_shown_around_in(tmp_path: Path) -> None:
    assert play._closing(tmp_path, 125, {})[1:] == [
        f"runwatch demo: nothing was recorded (125). The scratch repository is in {tmp_path}"
    ]


def test_what_would_lead_to_other_runs_is_taken_out_of_the_shell_first(tmp_path: Path) -> None:
    recorded(tmp_path, "completed")
    assert "  unset RUNWATCH_RUNS_DIR" in play._closing(tmp_path, 0, {"RUNWATCH_RUNS_DIR": "/elsewhere"})
    assert not [line for line in play._closing(tmp_path, 0, {}) if "unset" in line]


def test_the_shell_is_told_where_runwatch_is_unless_it_finds_this_very_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "runwatch"
    monkeypatch.setattr(sys, "executable", str(script.with_name("python")))
    assert play._how_to_call({"PATH": "/bin"}) == (f"{script.with_name('python')} -P -m runwatch.cli.main", [])
    for path in (script, tmp_path / "other" / "runwatch"):
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    told = ("runwatch", [f"PATH={script.parent}:$PATH"])
    assert play._how_to_call({"PATH": "/nowhere"}) == told
    assert play._how_to_call({"PATH": str(tmp_path / "other")}) == told
    assert play._how_to_call({"PATH": f"{script.parent}:{tmp_path / 'other'}"}) == ("runwatch", [])
