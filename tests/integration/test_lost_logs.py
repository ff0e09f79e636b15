"""Logs that only the archive held, and an archive that is gone: every command that looks says so, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.dead_runs import dead_run
from runwatch.cli.main import run as call
from runwatch.finalize import stages
from runwatch.settings import Settings
from runwatch.settings.groups import Commit, Retention

SAID = "its logs are lost: run.tar.gz alone held them and "
SETTINGS = Settings(retention=Retention(raw="after_verify"), commit=Commit(mode="off"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finalized run whose raw logs were taken away."""
    path = dead_run(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    assert stages.run(path, SETTINGS).complete
    assert not (path / "logs").exists()
    return path


def _flipped(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() + b"\0")


@pytest.mark.parametrize(("deed", "what"), [(Path.unlink, "is gone"), (_flipped, "is not what was verified")])
def test_every_command_that_looks_says_that_the_logs_are_lost_until_a_copy_of_the_archive_is_back(
    run: Path, deed: Callable[[Path], object], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = run / "run.tar.gz"
    copy = archive.read_bytes()
    deed(archive)
    for command in (["ls"], ["show"], ["ls", "--json"]):
        assert call(command) == 0
        said = capsys.readouterr().err
        assert said.startswith(f"runwatch: f/r1: {SAID}{what}; ")
        assert said.count("\n") == 1
    assert call(["recover"]) == 0
    assert capsys.readouterr().out.startswith(f"lost       f/r1  {SAID}{what}; a copy of it put there (SHA-256 ")
    call(["doctor", "--json"])
    (found,) = [each for each in json.loads(capsys.readouterr().out) if each["check"] == "lost logs"]
    assert (found["level"], found["sentence"].startswith("1 run has lost its logs")) == ("warning", True)
    assert call(["verify"]) == 1
    assert "it alone held the logs" in capsys.readouterr().err
    archive.write_bytes(copy)
    for command in (["ls"], ["show"], ["verify"], ["recover"]):
        assert call(command) == 0
        told = capsys.readouterr()
        assert "lost" not in told.out + told.err
    call(["doctor", "--json"])
    assert "lost logs" not in capsys.readouterr().out
