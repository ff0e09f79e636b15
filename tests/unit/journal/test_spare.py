"""Files in memory that stand for those of a disk that takes nothing: whose they are, and when they go."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runwatch.journal import spare
from runwatch.journal.paths import RunPaths


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunPaths]:
    """A run for which something is kept."""
    paths = RunPaths(tmp_path / "runs/f/r")
    paths.root.mkdir(parents=True)
    assert spare.keep(paths.finalize_state, b"status")
    assert spare.keep(paths.losses, b"losses")
    yield paths
    spare.forget(paths.finalize_state)
    spare.forget(paths.losses)


def _kept(paths: RunPaths) -> list[str]:
    """Return the files in memory that belong to a run."""
    names = [spare.name_of(path) for path in (paths.finalize_state, paths.losses)]
    return [name for each in names for name in (each, f"{each}.of") if os.path.lexists(name)]


def _age(paths: RunPaths, age_s: float) -> None:
    """Make the files of a run old: by the clock, the test would take away what is not its own."""
    for path in (paths.finalize_state, paths.losses):
        os.utime(spare.name_of(path), (time.time() - age_s,) * 2)


def test_what_is_kept_for_a_run_that_is_there_stays(run: RunPaths) -> None:
    spare.sweep()
    assert spare.kept(run.finalize_state) == b"status"
    assert len(_kept(run)) == 4


@pytest.mark.parametrize("deleted", ["runs/f/r", "runs"])
def test_what_was_kept_for_a_run_that_was_deleted_is_cleared(run: RunPaths, tmp_path: Path, deleted: str) -> None:
    shutil.rmtree(tmp_path / deleted)
    spare.sweep()
    assert _kept(run) == []


def test_what_is_kept_for_a_disk_that_is_gone_waits_for_it(run: RunPaths, tmp_path: Path) -> None:
    for path in (run.finalize_state, run.losses):
        place = f"{spare.name_of(path)}.of"
        device, _, folder = os.readlink(place).partition(":")
        assert (int(device), folder) == (run.root.stat().st_dev, str(run.root))
        os.unlink(place)
        os.symlink(f"{int(device) + 1}:{folder}", place)  # what lies there now is another disk
    _age(run, spare.AWAY_S + 60)
    spare.sweep()
    assert len(_kept(run)) == 4, "its folder is there"
    _age(run, spare.AWAY_S - 60)  # first: others sweep as well
    shutil.rmtree(tmp_path / "runs")
    spare.sweep()
    assert len(_kept(run)) == 4
    _age(run, spare.AWAY_S + 60)
    spare.sweep()
    assert _kept(run) == [], "but not for ever"


def test_what_says_of_no_run_where_it_lies_goes_after_a_while_and_nothing_of_anybody_else(run: RunPaths) -> None:
    for path in (run.finalize_state, run.losses):
        os.unlink(f"{spare.name_of(path)}.of")
    uid = os.geteuid()
    others = [f"runwatch-{uid}-test-{os.getpid()}", f"runwatch-{uid + 1}-00000000-test-{os.getpid()}"]
    for name in others:
        Path(spare.FOLDER, name).touch()
        os.utime(Path(spare.FOLDER, name), (0, 0))
    link = Path(spare.FOLDER, f"runwatch-{uid}-00000000-link-{os.getpid()}")
    link.symlink_to(run.root)
    os.utime(link, (0, 0), follow_symlinks=False)
    try:
        _age(run, spare.NAMELESS_S - 60)
        spare.sweep()
        assert len(_kept(run)) == 2
        _age(run, spare.NAMELESS_S + 60)
        spare.sweep()
        assert _kept(run) == []
        assert all(Path(spare.FOLDER, name).exists() for name in others)
        assert link.is_symlink()
    finally:
        for name in (*others, link.name):
            Path(spare.FOLDER, name).unlink(missing_ok=True)


@pytest.mark.parametrize("target", ["", ":", "x:/nowhere", "1:relative", "1"])
def test_a_link_that_says_nothing_of_a_run_is_left_alone(target: str) -> None:
    name = f"{spare.FOLDER}/runwatch-{os.geteuid()}-00000000-test-{os.getpid()}"
    os.symlink(target or " ", f"{name}.of")
    try:
        spare.sweep()
        assert os.path.lexists(f"{name}.of")
    finally:
        os.unlink(f"{name}.of")


def test_to_forget_takes_both_away(run: RunPaths) -> None:
    spare.forget(run.finalize_state)
    spare.forget(run.losses)
    assert _kept(run) == []
