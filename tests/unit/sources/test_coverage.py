"""Coverage reports as the real tools write them, and what is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runwatch.sources import coverage

PROGRAM = """
def sign(number):
    if number > 0:
        return 1
    if number < 0:
        return -1
    return 0

def never():
    return 2

for number in (1, 2, 3):
    sign(number)
"""


def _coverage(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module", params=["lines", "branches"])
def reports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three reports of one real measurement."""
    folder = tmp_path_factory.mktemp("coverage")
    (folder / "program.py").write_text(PROGRAM)
    _coverage(folder, "run", *(["--branch"] if request.param == "branches" else []), "program.py")
    found = {}
    for command in ("json", "xml", "lcov"):
        found[command] = folder / f"report.{command}"
        _coverage(folder, command, "-q", "-o", str(found[command]))
    return found


def test_the_three_formats_of_one_measurement_say_the_same_as_the_tool_itself(reports: dict[str, Path]) -> None:
    totals = json.loads(reports["json"].read_bytes())["totals"]
    expected = {
        "percent": round(totals["percent_covered"], 4),
        "lines_covered": totals["covered_lines"],
        "lines_total": totals["num_statements"],
    }
    assert 0 < expected["percent"] < 100
    assert {name: coverage.read(path) for name, path in reports.items()} == dict.fromkeys(reports, expected)


def test_cobertura_without_totals_is_counted_line_by_line_and_methods_only_once(tmp_path: Path) -> None:
    report = tmp_path / "cobertura.xml"
    report.write_text(
        '<?xml version="1.0"?><!DOCTYPE coverage><coverage line-rate="0.5"><packages><package><classes>'
        '<class><methods><method><lines><line number="1" hits="9"/></lines></method></methods>'
        '<lines><line number="1" hits="9"/><line number="2" hits="0"/><line number="3" hits="2"/></lines></class>'
        "</classes></package></packages></coverage>"
    )
    assert coverage.read(report) == {"percent": 66.6667, "lines_covered": 2, "lines_total": 3}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "neither"),
        (b"hello", "neither"),
        (b"{}", "not coverage.py's JSON"),
        (b'{"totals": {"covered_lines": 3, "num_statements": 2}}', "3 of 2 lines"),
        (b'{"totals": ', "not coverage.py's JSON"),
        (b"{\xff", "not coverage.py's JSON"),
        (b"<html/>", "root element is not <coverage>"),
        (b"<coverage", "root element is not <coverage>"),
        (b"<coverage></coverage>", "0 of 0 lines"),
        (b"TN:\nSF:x\nLF:many\n", "0 of 0 lines"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "report"
    path.write_bytes(content)
    with pytest.raises(coverage.NoReport, match=says):
        coverage.read(path)


def test_a_file_that_expands_without_end_is_no_report(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10 if at else "x" * 1000}">' for at in range(12))
    path = tmp_path / "bomb.xml"
    path.write_text(f"<!DOCTYPE coverage [{entities}]><coverage><line>&e11;</line></coverage>")
    with pytest.raises(coverage.NoReport):
        coverage.read(path)


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('<line number="1" hits="1"/>')
    path = tmp_path / "report.xml"
    path.write_text(f'<!DOCTYPE coverage [<!ENTITY x SYSTEM "file://{secret}">]><coverage>&x;</coverage>')
    with pytest.raises(coverage.NoReport):
        coverage.read(path)
