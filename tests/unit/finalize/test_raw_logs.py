"""Raw logs go once the archive holds them, and only then."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from runwatch.finalize import archive, raw_logs
from runwatch.journal.paths import RunPaths
from unit.finalize.test_archive_ahead import a_run


@pytest.fixture(params=["just made", "made long ago"])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A run with a verified archive, with and without what is known of its making."""
    made = a_run(tmp_path)
    archive.create(made)
    if request.param == "made long ago":
        archive.forget(made)
    return made


def test_logs_that_are_in_the_archive_go(run: Path) -> None:
    assert raw_logs.take_away(RunPaths(run))
    assert not (run / "logs").exists()
    assert (run / "events.jsonl").is_file()
    assert raw_logs.take_away(RunPaths(run))
    assert [path.name for path in run.iterdir() if "gone" in path.name] == []


@pytest.mark.parametrize("change", ["grown", "rewritten", "new", "link", "damaged"])
def test_they_all_stay_where_anything_is_not_in_it(run: Path, change: str) -> None:
    log = run / "logs/step_002/stdout.log"
    if change == "grown":
        with log.open("ab") as file:
            file.write(b"a survivor\n")
    elif change == "rewritten":
        log.write_bytes(b"#" + log.read_bytes()[1:])
    elif change == "new":
        (run / "logs/late.log").write_bytes(b"late\n")
    elif change == "link":
        (run / "logs/link").symlink_to("/etc/passwd")
    else:
        os.truncate(run / "run.tar.gz", 1000)
    before = sorted(path for path in run.rglob("*"))
    assert not raw_logs.take_away(RunPaths(run))
    assert sorted(path for path in run.rglob("*")) == before


def test_what_a_killed_one_left_goes_too_and_a_link_leads_nowhere(run: Path, tmp_path: Path) -> None:
    os.rename(run / "logs", run / ".logs.gone")
    assert raw_logs.take_away(RunPaths(run))
    assert not (run / ".logs.gone").exists()
    (tmp_path / "precious").mkdir()
    (run / "logs").symlink_to(tmp_path / "precious")
    assert not raw_logs.take_away(RunPaths(run))
    assert (tmp_path / "precious").is_dir()


def test_a_log_folder_that_was_copied_back_goes_again(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "logs", tmp_path / "copy")
    shutil.rmtree(run / "logs")
    os.rename(tmp_path / "copy", run / "logs")
    assert raw_logs.take_away(RunPaths(run))


def test_an_archive_that_alone_has_a_log_is_known(run: Path) -> None:
    paths = RunPaths(run)
    assert not raw_logs.are_only_archived(paths)
    (run / "logs/step_001/adapter.log").unlink()
    assert raw_logs.are_only_archived(paths)
    shutil.rmtree(run / "logs")
    assert raw_logs.are_only_archived(paths)
