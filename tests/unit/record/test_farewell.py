"""What the supervisor says last."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from runwatch.journal.paths import RunPaths
from runwatch.record import farewell


@pytest.mark.parametrize("name", ["plain-1_2.3", "wéird dir's [x]", 'a"b$c', "\udcff"])
def test_the_command_that_helps_can_be_typed_as_it_stands(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "f" / name
    run.mkdir(parents=True)
    (run / "events.jsonl").touch()
    farewell.not_finalized(RunPaths(run))
    said = re.search(r"`(.*)` does it", capfd.readouterr().err)
    assert said is not None
    shown = str(run).encode(errors="backslashreplace").decode()
    assert shlex.split(said[1]) == ["runwatch", "finalize", shown]


def test_a_journal_that_was_deleted_is_told_from_a_run_that_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = RunPaths(tmp_path / "f" / "r1")
    farewell.not_finalized(run)
    assert f"{run.root} was deleted or moved away" in capfd.readouterr().err
    run.root.mkdir(parents=True)
    farewell.not_finalized(run)
    assert f"{run.journal} was deleted while the command ran" in capfd.readouterr().err
