"""The seven tables as other programs read them: the csv module and pandas see the same cells, none a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from journals import scenario_issues
from runwatch.finalize.publish import Publisher
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.views.csv_rows import COLUMNS

FORMULA = '=HYPERLINK("https://evil.example","x")'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a run with something in each, and a formula, quotes and line feeds in what a program said."""
    paths = RunPaths(tmp_path_factory.mktemp("csv") / "runs" / "baes" / "r1")
    paths.root.mkdir(parents=True)
    journal = scenario_issues()
    journal.lines.pop()  # the seal
    journal.tool("git", 1.5)
    journal.add("error", error_type="ValueError", message=FORMULA, issue=125)
    journal.add("error", error_type="ValueError", message='two "quoted"\nlines, ünïcode', issue=125)
    journal.run_completed(after=1)
    journal.write(paths.journal)
    publisher = Publisher(paths, Settings(), {})
    publisher.live(journal.metrics())
    publisher.close()
    return paths.root / "csv"


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))


def test_the_csv_module_reads_seven_whole_tables_and_no_formula(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.csv")} == set(COLUMNS)
    for path in folder.glob("*.csv"):
        header, *rows = cells(path)
        assert tuple(header) == COLUMNS[path.stem]
        assert rows
        assert all(len(row) == len(header) for row in rows)
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    messages = [row[-1] for row in cells(folder / "errors.csv")[1:]]
    assert messages == ["'" + FORMULA, 'two "quoted"\nlines, ünïcode']


def test_pandas_reads_the_same_cells_and_takes_numbers_for_numbers(folder: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    for path in folder.glob("*.csv"):
        frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
        assert [list(frame.columns), *frame.to_numpy().tolist()] == cells(path)
    issues = pandas.read_csv(folder / "issues.csv")
    assert issues["total_tokens"].sum() == 3000
    assert issues["duration_seconds"].dtype == "float64" or issues["duration_seconds"].dtype == "int64"
