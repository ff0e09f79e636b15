"""The seven tables as other programs read them: the csv module, pandas and LibreOffice see the same cells."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from integration.recorded import PATIENCE_S
from journals import scenario_issues
from runwatch.finalize.publish import Publisher
from runwatch.journal.paths import RunPaths
from runwatch.settings import Settings
from runwatch.views.csv_rows import COLUMNS

MESSAGES = {
    '=HYPERLINK("https://evil.example","x")': None,
    "=1+1": None,
    "+1": None,
    "-1": None,
    "@x": None,
    "=cmd|' /C calc'!A0": None,
    "+cmd|' /C calc'!A0": None,
    "  =1+1": None,
    "\t=1+1": "'\t'=1+1",
    "\r=1+1": "␍=1+1",
    "unit;=1+1": "unit;'=1+1",
    "two\n=1+1": "two\n'=1+1",
    'two "quoted"\nlines, ünïcode': 'two "quoted"\nlines, ünïcode',
    "日本語, Ελληνικά; 'quoted'": "日本語, Ελληνικά; 'quoted'",
}
"""What programs said, and what the cell holds; None: the same behind an apostrophe."""
CELLS = [f"'{said}" if shown is None else shown for said, shown in MESSAGES.items()]
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a run with something in each, and formulas, quotes and line feeds in what a program said."""
    paths = RunPaths(tmp_path_factory.mktemp("csv") / "runs" / "baes" / "r1")
    paths.root.mkdir(parents=True)
    journal = scenario_issues()
    journal.lines.pop()  # the seal
    journal.tool("git", 1.5)
    for message in MESSAGES:
        journal.add("error", error_type="ValueError", message=message, issue=125)
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
    assert [row[-1] for row in cells(folder / "errors.csv")[1:]] == CELLS


def test_pandas_reads_the_same_cells_and_takes_numbers_for_numbers(folder: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    for path in folder.glob("*.csv"):
        frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
        assert [list(frame.columns), *frame.to_numpy().tolist()] == cells(path)
    issues = pandas.read_csv(folder / "issues.csv")
    assert issues["total_tokens"].sum() == 3000
    assert issues["duration_seconds"].dtype == "float64" or issues["duration_seconds"].dtype == "int64"


# --- LibreOffice


def _sheet(path: Path) -> tuple[list[list[str]], list[str]]:
    """The texts of a flat OpenDocument sheet row by row, and every formula in it."""
    rows: list[list[str]] = []
    formulas: list[str] = []
    for row in ElementTree.parse(path).getroot().iter(f"{{{OFFICE.format('table')}}}table-row"):
        rows.append([])
        for cell in row.findall(f"{{{OFFICE.format('table')}}}table-cell"):
            formula = cell.get(f"{{{OFFICE.format('table')}}}formula")
            formulas += [] if formula is None else [formula]
            lines = ["".join(line.itertext()) for line in cell.findall(f"{{{OFFICE.format('text')}}}p")]
            rows[-1] += ["\n".join(lines)] * int(cell.get(f"{{{OFFICE.format('table')}}}number-columns-repeated", "1"))
    return rows, formulas


def _office(source: Path, separators: str, folder: Path) -> Path:
    """Open a CSV file, UTF-8, as a user's settings divide it."""
    folder.mkdir()
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--convert-to", "fods",
            f"--infilter=CSV:{separators},34,76,1", "--outdir", str(folder), str(source),
        ],
        check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    return folder / f"{source.stem}.fods"


@pytest.mark.skipif(
    shutil.which("soffice") is None, reason="soffice (Debian package libreoffice-calc-nogui) is not installed"
)
def test_libreoffice_reads_the_same_cells_and_runs_no_formula(folder: Path, tmp_path: Path) -> None:
    plain = tmp_path / "errors.csv"
    plain.write_text("message\r\n=1+1\r\n")
    assert _sheet(_office(plain, "44", tmp_path / "plain"))[1] == ["of:=1+1"], "it does run what is not neutralized"
    rows, formulas = _sheet(_office(folder / "errors.csv", "44", tmp_path / "commas"))
    assert formulas == []
    assert tuple(rows[0][: len(COLUMNS["errors"])]) == COLUMNS["errors"]
    read = [row[len(COLUMNS["errors"]) - 1] for row in rows[1 : len(CELLS) + 1]]
    # It keeps white space in elements of its own.
    assert [text.replace(" ", "") for text in read] == [text.replace(" ", "").replace("\t", "") for text in CELLS]
    # The usual dialog divides at commas, semicolons and tabs; many a locale at semicolons alone.
    for separators in ("44/59/9", "59"):
        assert _sheet(_office(folder / "errors.csv", separators, tmp_path / separators.replace("/", "-")))[1] == []
