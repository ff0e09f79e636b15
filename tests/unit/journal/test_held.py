"""A run directory that is renamed while it is held: where it lies, and what else lies there now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runwatch.journal.held import HeldDirectory, as_named, path_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory with one file."""
    root = tmp_path / "place/runs/f/r1"
    root.mkdir(parents=True)
    (root / "file").write_text("mine")
    return root


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("place", "elsewhere"), ("place/runs", "place/old"), ("place/runs/f", "place/runs/g"),
        ("place/runs/f/r1", "place/runs/f/r2"), ("place/runs", "runs"),
    ],
)  # fmt: skip
def test_a_held_run_is_found_whatever_folder_above_it_is_renamed(
    run: Path, tmp_path: Path, before: str, after: str
) -> None:
    held = HeldDirectory(run)
    path = held.path
    assert (held.where(), (path / "file").read_text()) == (run, "mine")
    os.rename(tmp_path / before, tmp_path / after)
    (run.parent.parent / "f/r1").mkdir(parents=True)  # somebody else's by now
    now = tmp_path / (after + str(run.relative_to(tmp_path))[len(before) :])
    assert held.where() == now
    assert (held.path / "file").read_text() == "mine"
    assert os.path.lexists(path / "file") == (now.name == "r1"), "a path outlives all but the run's own name"
    assert held.first == run


def test_a_run_that_was_deleted_lies_where_it_lay(run: Path) -> None:
    held = HeldDirectory(run)
    shutil.rmtree(run)
    assert (held.where(), held.path) == (run, run)
    run.mkdir()
    assert held.path == run


def test_a_link_in_the_place_of_a_run_that_moved_is_not_taken_for_it(run: Path, tmp_path: Path) -> None:
    held = HeldDirectory(run)
    os.rename(run, tmp_path / "r1")
    run.symlink_to(tmp_path / "r1")
    assert held.where() == tmp_path / "r1"
    assert HeldDirectory(run).where() == run, "a link is not held"


def test_a_run_that_moved_before_it_was_held_is_found_by_a_file_of_it(run: Path, tmp_path: Path) -> None:
    fd = os.open(run / "file", os.O_RDONLY)
    try:
        os.rename(tmp_path / "place", tmp_path / "p2")
        held = HeldDirectory(run, file_fd=fd)
        assert held.where() == tmp_path / "p2/runs/f/r1"
        os.unlink(held.where() / "file")
        state = os.fstat(fd)
        assert path_of(fd, (state.st_dev, state.st_ino)) is None
        assert HeldDirectory(run, file_fd=fd).where() == run
    finally:
        os.close(fd)


def test_what_lies_beside_a_run_in_the_renamed_folder_has_another_name_too(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldDirectory(run)
    python, other = tmp_path / "place/.venv/bin/python", tmp_path / "place2/python"
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PYTHONPATH", f"{python.parent}:{other}")
    assert held.program()[0] == str(python)
    os.rename(tmp_path / "place", tmp_path / "p2")
    program, environment = held.program()
    assert program == str(tmp_path / "p2/.venv/bin/python")
    assert environment["PYTHONPATH"] == f"{tmp_path}/p2/.venv/bin:{other}"


def test_people_are_told_the_name_of_a_run_and_not_the_number_of_a_descriptor(run: Path) -> None:
    held = HeldDirectory(run)
    assert as_named(f"{held.path}/.lock: no.", run) == f"{run}/.lock: no."


def test_a_process_that_is_started_gets_the_directory_itself_and_not_its_name(run: Path, tmp_path: Path) -> None:
    held = HeldDirectory(run)
    script = "import sys; from runwatch.journal.held import *; "
    script += "print(HeldDirectory(Path(sys.argv[1]), fd=int(sys.argv[2])).where())"
    with held.inheritable() as number:
        os.rename(tmp_path / "place", tmp_path / "p2")
        argv = [sys.executable, "-c", script, str(run), number]
        done = subprocess.run(argv, stdout=subprocess.PIPE, close_fds=False, text=True, check=True)
    assert done.stdout == f"{tmp_path}/p2/runs/f/r1\n"
    assert not os.get_inheritable(int(number))
