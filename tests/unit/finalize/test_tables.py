"""The CSV files of a run and over all runs: every row once, whatever was written before, as it ends."""

from __future__ import annotations

import csv
import errno
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import pytest

from journals import Journal
from runwatch.finalize import tables
from runwatch.finalize.rows_written import MOST_NEWS
from runwatch.finalize.shared_table import SharedTable
from runwatch.finalize.tables import Tables
from runwatch.fold.metrics import Metrics
from runwatch.journal import create
from runwatch.journal.follow import Follower
from runwatch.journal.paths import RunPaths
from runwatch.views.csv_rows import COLUMNS


class Written:
    """One run below a runs folder, its journal and its tables."""

    def __init__(self, root: Path, run_id: str, *, errors: int = 2) -> None:
        self.paths = RunPaths(root / "baes" / run_id)
        self.paths.root.mkdir(parents=True, exist_ok=True)
        self.journal = Journal()
        self.journal.run_started(run_id=run_id)
        for number in range(errors):
            self.error(f"m{number}")
        self.tables = self.new_tables()

    def new_tables(self) -> Tables:
        """Another process's tables of the same run."""
        return Tables(self.paths, lambda tree: tree)

    def error(self, message: str, **more: Any) -> None:
        """Record an error."""
        self.journal.add("error", error_type="X", message=message, **more)

    def metrics(self) -> Metrics:
        """Write the journal, and fold it."""
        self.paths.journal.write_bytes(b"".join(self.journal.lines))
        return self.journal.metrics()

    def live(self) -> None:
        """Flush as the recorder does."""
        self.tables.live(self.metrics())

    def final(self) -> None:
        """Seal, and write as the finalizer does."""
        self.journal.run_completed(after=3)
        self.tables.final(self.metrics())


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def _all(root: Path, table: str, column: str) -> list[tuple[str, str]]:
    rows = _rows(root / "csv" / f"{table}.csv")
    assert tuple(rows[0]) == COLUMNS[table]
    return [(row[0], row[COLUMNS[table].index(column)]) for row in rows[1:]]


def test_a_row_appears_when_its_entity_ends_and_stands_once(tmp_path: Path) -> None:
    run = Written(tmp_path, "a", errors=0)
    run.journal.add("issue.started", issue=1)
    run.journal.add("issue.started", issue=2)
    run.live()
    assert _all(tmp_path, "issues", "issue_id") == []
    run.journal.add("issue.completed", after=1, issue=2, status="success")
    run.error("=cmd()")
    run.live()
    run.live()
    assert _all(tmp_path, "issues", "issue_id") == [("a", "2")]
    assert _all(tmp_path, "errors", "message") == [("a", "'=cmd()")]
    run.journal.add("issue.completed", after=1, issue=1, status="failed")
    run.error("a\nb")
    run.live()
    run.final()
    assert _all(tmp_path, "issues", "issue_id") == [("a", "2"), ("a", "1")]
    assert _all(tmp_path, "errors", "message") == [("a", "'=cmd()"), ("a", "a\nb")]
    assert _all(tmp_path, "runs", "status") == [("a", "completed")]
    for table in COLUMNS:
        own, shared = _rows(run.paths.csv / f"{table}.csv"), _rows(tmp_path / "csv" / f"{table}.csv")
        assert sorted(own) == sorted(shared), table


def test_a_row_that_is_corrected_later_stands_once_as_it_is(tmp_path: Path) -> None:
    other = Written(tmp_path, "other")
    other.final()
    run = Written(tmp_path, "a")
    run.journal.add("issue.started", issue=1)
    run.journal.add("issue.completed", issue=1, status="success")
    run.live()
    run.journal.add("outcome.verified", issue=1, success=False, source="forge")
    run.live()
    assert _all(tmp_path, "issues", "status") == [("a", "failed")]
    run.final()
    assert _all(tmp_path, "issues", "status") == [("a", "failed")]
    assert _all(tmp_path, "runs", "status") == [("other", "completed"), ("a", "completed")]


@pytest.mark.parametrize("taken", [False, True])
def test_the_rows_of_a_long_backlog_are_all_written_once(tmp_path: Path, taken: bool) -> None:
    run = Written(tmp_path, "r1", errors=0)
    for attempts in (3, 4 * MOST_NEWS // 3, 2 * MOST_NEWS, 1):
        for _ in range(attempts):
            run.journal.add("agent.started", issue=1, agent="a")
            run.journal.add("agent.completed", after=1, issue=1, agent="a", success=True)
        if taken:
            (tmp_path / "csv" / "agents.csv").unlink(missing_ok=True)
        run.live()
        own, shared = _rows(run.paths.csv / "agents.csv"), _rows(tmp_path / "csv" / "agents.csv")
        assert own == shared
        number = COLUMNS["agents"].index("attempt")
        assert [int(row[number]) for row in own[1:]] == list(range(1, len(own)))
    assert len(own) == 1 + 4 + 4 * MOST_NEWS // 3 + 2 * MOST_NEWS


@pytest.mark.parametrize("shared", range(4))
def test_another_process_goes_on_where_the_one_before_was_killed(tmp_path: Path, shared: int) -> None:
    """``shared``: how many of three errors had reached the file over all runs."""
    run = Written(tmp_path, "a", errors=3)
    run.live()
    path = tmp_path / "csv" / "errors.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: 1 + shared]))
    run.tables = run.new_tables()
    run.error("m3")
    run.live()
    run.tables = run.new_tables()
    run.final()
    run.tables = run.new_tables()
    run.tables.final(run.metrics())
    assert _all(tmp_path, "errors", "message") == [("a", f"m{number}") for number in range(4)]


def test_a_row_that_comes_is_added_and_a_write_that_failed_half_way_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Written(tmp_path, "a")
    own, shared = run.paths.csv / "pipelines.csv", tmp_path / "csv" / "pipelines.csv"
    run.journal.add("pipeline.completed", pipeline_id=1, status="success")
    run.live()
    inodes = [path.stat().st_ino for path in (own, shared)]
    run.journal.add("pipeline.completed", pipeline_id=2, status="failed")
    run.live()
    assert [path.stat().st_ino for path in (own, shared)] == inodes

    def half(path: Path, data: bytes) -> None:
        append(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "no space")

    append = tables._append
    monkeypatch.setattr(tables, "_append", half)
    run.journal.add("pipeline.completed", pipeline_id=3, status="success")
    with pytest.raises(OSError, match="no space"):
        run.live()
    monkeypatch.undo()
    run.live()
    assert [number for _, number in _all(tmp_path, "pipelines", "pipeline_id")] == ["1", "2", "3"]
    assert _rows(own) == _rows(shared)
    assert {len(row) for row in _rows(own)} == {len(COLUMNS["pipelines"])}


def test_rows_that_the_journal_does_not_hold_are_taken_out(tmp_path: Path) -> None:
    run = Written(tmp_path, "a", errors=3)
    run.live()
    run.journal.lines = run.journal.lines[:2]
    run.tables = run.new_tables()
    run.final()
    assert _all(tmp_path, "errors", "message") == [("a", "m0")]


def test_many_errors_are_not_held_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_MOST_ROWS", 3)
    monkeypatch.setattr(Follower.read, "__defaults__", (500,))
    run = Written(tmp_path, "a", errors=40)
    run.live()
    run.tables = run.new_tables()
    run.final()
    assert _all(tmp_path, "errors", "message") == [("a", f"m{number}") for number in range(40)]


def test_an_error_is_a_row_even_when_torn_foreign_or_without_a_time_and_not_after_the_seal(tmp_path: Path) -> None:
    run = Written(tmp_path, "a", errors=0)
    run.journal.lines.append(b'{"type":"step.started","ts":"2026-11-21T12:00:00Z","step":1}\n')
    run.journal.lines.append(b'{"message": "foreign", "type": "error"}\n')
    run.journal.lines.append(b'{"type":"tool.sta{"type":"error","message":"torn","ts":"2026-11-21T12:00:01Z"}\n')
    foreign = b'{"type":"run.completed","status":"completed"}\n'
    run.journal.lines += [foreign, b'{"type":"error","message":"later"}\n', foreign.replace(b"}", b',"writer":"w"}')]
    run.journal.lines.append(b'{"type":"error","message":"too late","ts":"2026-11-21T12:00:03Z"}\n')
    run.tables.final(run.metrics())
    assert [row[4] for row in _rows(tmp_path / "csv" / "errors.csv")[1:]] == [
        "2026-11-21T12:00:00.000000Z", "2026-11-21T12:00:01.000000Z", "2026-11-21T12:00:01.000000Z",
    ]  # fmt: skip
    assert _all(tmp_path, "errors", "message") == [("a", "foreign"), ("a", "torn"), ("a", "later")]


def _whole_run(root: Path, run_id: str) -> None:
    run = Written(root, run_id, errors=5)
    for number in range(5):
        run.journal.add("pipeline.completed", pipeline_id=number, status="success")
        run.live()
    run.final()


def test_runs_that_end_side_by_side_have_every_row_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_whole_run, args=(tmp_path, f"run{number}")) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    runs = [f"run{number}" for number in range(6)]
    assert sorted(run for run, _ in _all(tmp_path, "runs", "status")) == runs
    for table, column in (("pipelines", "pipeline_id"), ("errors", "message")):
        prefix = "m" if table == "errors" else ""
        expected = sorted((run, f"{prefix}{number}") for run in runs for number in range(5))
        assert sorted(_all(tmp_path, table, column)) == expected


@pytest.mark.parametrize("damage", ["torn", "gone", "other columns", "no UTF-8"])
def test_a_file_that_is_not_whole_is_rebuilt_from_the_runs_own_rows(tmp_path: Path, damage: str) -> None:
    for run_id in ("a", "b"):
        Written(tmp_path, run_id).final()
    for table in ("runs", "errors"):
        path = tmp_path / "csv" / f"{table}.csv"
        if damage == "torn":
            path.write_bytes(path.read_bytes()[:-20])
        elif damage == "gone":
            path.unlink()
        elif damage == "other columns":
            path.write_bytes(b"run_id,name\r\nc,x\r\n")
        else:
            path.write_bytes(path.read_bytes() + b"c,\xff\r\n")
    Written(tmp_path, "c").final()
    expected = ["a", "b", "c"]
    assert sorted({run for run, _ in _all(tmp_path, "runs", "status")}) == expected
    assert sorted({run for run, _ in _all(tmp_path, "errors", "message")}) == expected
    assert len(_all(tmp_path, "errors", "message")) == 6


@pytest.mark.parametrize("damage", ["torn", "other columns", "no UTF-8"])
def test_rows_of_runs_that_were_pruned_stay_when_a_file_is_rebuilt(tmp_path: Path, damage: str) -> None:
    for run_id in ("a", "b", "c"):
        Written(tmp_path, run_id).final()
    shutil.rmtree(tmp_path / "baes" / "a")
    shutil.rmtree(tmp_path / "baes" / "b" / "csv")  # as in a clone
    before = {table: _rows(tmp_path / "csv" / f"{table}.csv") for table in ("runs", "errors")}
    for table in before:
        path = tmp_path / "csv" / f"{table}.csv"
        whole = path.read_bytes()
        if damage == "torn":
            path.write_bytes(whole + b"z,baes,unknown")
        elif damage == "other columns":
            path.write_bytes(whole.replace(b",model,", b",model,mood,", 1).replace(b",unknown,unknown,", b",,,happy,"))
        else:
            path.write_bytes(whole + b"z,\xff\r\n")
    Written(tmp_path, "d").final()
    for table, rows in before.items():
        after = _rows(tmp_path / "csv" / f"{table}.csv")
        assert [row[0] for row in after[1:]] == [*(row[0] for row in rows[1:]), *(["d"] * (len(rows) // 3))]
        assert after[0] == rows[0]
        assert [row[4:] for row in after[1 : len(rows)]] == [row[4:] for row in rows[1:]]


@pytest.mark.parametrize("when", ["before it begins", "while it goes on"])
def test_rows_that_somebody_lost_or_doubled_are_noticed_when_a_run_ends(tmp_path: Path, when: str) -> None:
    for run_id in ("a", "b", "c", "d"):
        Written(tmp_path, run_id).final()
    shutil.rmtree(tmp_path / "baes" / "d")  # pruned: its rows are nowhere else
    run = Written(tmp_path, "e")
    if when == "while it goes on":
        run.live()
    before = {table: sorted(_rows(tmp_path / "csv" / f"{table}.csv")) for table in ("runs", "errors")}
    for table in before:
        path = tmp_path / "csv" / f"{table}.csv"
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join((*lines[:1], *lines[2:], lines[3])))
    run.error("m2")
    if when == "while it goes on":
        run.live()
    run.final()
    assert sorted(_all(tmp_path, "runs", "status")) == [(name, "completed") for name in "abcde"]
    messages = [(name, f"m{number}") for name in "abcd" for number in range(2)] + [("e", f"m{n}") for n in range(3)]
    assert sorted(_all(tmp_path, "errors", "message")) == messages


def test_files_that_are_as_they_were_left_are_not_made_of_all_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Written(tmp_path, "a").final()

    def rebuilt(self: SharedTable, text: str) -> None:
        raise AssertionError("reads the files of every run")

    assert {path.suffix for path in create._entries(tmp_path / "csv")} == {".csv"}, "git may hide the folder whole"
    monkeypatch.setattr(SharedTable, "rebuild", rebuilt)
    others = [Written(tmp_path, name) for name in ("b", "c")]
    for run in (*others, *others):
        run.journal.add("pipeline.completed", pipeline_id=len(run.journal.lines), status="success")
        run.error("more")
        run.live()
    for run in others:
        run.final()
        run.journal.add("outcome.verified", success=False, source="forge")
        run.new_tables().final(run.metrics())
    assert sorted(_all(tmp_path, "runs", "status")) == [(name, "completed") for name in "abc"]


def test_a_file_that_is_taken_away_during_the_run_is_whole_at_its_end(tmp_path: Path) -> None:
    run = Written(tmp_path, "a")
    run.live()
    for path in (tmp_path / "csv").glob("*.csv"):
        path.unlink()
    run.error("m2")
    run.live()
    run.final()
    assert _all(tmp_path, "errors", "message") == [("a", "m0"), ("a", "m1"), ("a", "m2")]
    assert _all(tmp_path, "runs", "status") == [("a", "completed")]
