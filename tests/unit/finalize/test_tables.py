"""The CSV files over all runs: every row once, whatever was written before."""

from __future__ import annotations

import csv
import multiprocessing
from pathlib import Path

from runwatch.finalize.state import FinalizeState, Stage, save_state
from runwatch.finalize.tables import add_to_all, write_own
from runwatch.fold.metrics import ErrorGroup, Metrics, Run
from runwatch.journal.paths import RunPaths
from runwatch.views.csv_rows import COLUMNS


def _metrics(run_id: str, duration_s: float = 1.0) -> Metrics:
    run = Run(run_id=run_id, framework="baes", status="completed", duration_seconds=duration_s)
    return Metrics(
        run=run, errors=[ErrorGroup(error_type="X", message="=cmd()"), ErrorGroup(error_type="Y", message="a\nb")]
    )


def _add(root: Path, run_id: str) -> None:
    add_to_all(RunPaths(root / "baes" / run_id), _metrics(run_id))


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_rows_are_added_once_and_replaced_when_they_changed(tmp_path: Path) -> None:
    for run_id in ("a", "b", "a"):
        _add(tmp_path, run_id)
    rows = _rows(tmp_path / "csv" / "runs.csv")
    assert tuple(rows[0]) == tuple(COLUMNS["runs"])
    assert [row[0] for row in rows[1:]] == ["a", "b"]
    add_to_all(RunPaths(tmp_path / "baes" / "a"), _metrics("a", 7.0))
    rows = _rows(tmp_path / "csv" / "runs.csv")
    assert sorted((row[0], row[COLUMNS["runs"].index("duration_seconds")]) for row in rows[1:]) == [
        ("a", "7"),
        ("b", "1"),
    ]
    assert len(_rows(tmp_path / "csv" / "errors.csv")) == 1 + 4


def test_runs_that_end_side_by_side_have_every_row_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(tmp_path, f"run{number}")) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    rows = _rows(tmp_path / "csv" / "runs.csv")
    assert sorted(row[0] for row in rows[1:]) == [f"run{number}" for number in range(6)]


def test_a_file_torn_by_a_kill_is_rebuilt_from_the_runs_own_rows(tmp_path: Path) -> None:
    for run_id in ("a", "b"):
        paths = RunPaths(tmp_path / "baes" / run_id)
        paths.root.mkdir(parents=True)
        write_own(paths, _metrics(run_id))
        save_state(paths.finalize_state, FinalizeState(stages={"reports": Stage(done=True)}))
        _add(tmp_path, run_id)
    path = tmp_path / "csv" / "runs.csv"
    path.write_bytes(path.read_bytes()[:-20])
    _add(tmp_path, "c")
    assert [row[0] for row in _rows(path)[1:]] == ["a", "b", "c"]
    path.unlink()
    _add(tmp_path, "a")
    assert sorted(row[0] for row in _rows(path)[1:]) == ["a", "b"]


def test_a_runs_own_files_hold_its_rows_alone(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "baes" / "a")
    paths.root.mkdir(parents=True)
    write_own(paths, _metrics("a"))
    write_own(paths, _metrics("a"))
    assert [row[0] for row in _rows(paths.csv / "runs.csv")[1:]] == ["a"]
    assert {path.stem for path in paths.csv.iterdir()} == set(COLUMNS)
