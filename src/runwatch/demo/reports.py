"""What pytest and coverage.py say in their report files.

Must not run them. **Source**: the JUnit XML of pytest ("xunit2"); coverage.py's JSON report, format 2 and 3.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec


class Failure(msgspec.Struct, frozen=True):
    """A test that did not pass."""

    test: str
    """``tests/test_x.py::test_y``."""
    error_type: str
    """Name of the exception, without its module."""
    message: str
    """The exception's first line."""


class Tests(msgspec.Struct, frozen=True):
    """The result of a test run."""

    passed: int
    """Tests."""
    failed: int
    """Tests."""
    skipped: int
    """Tests."""
    errors: int
    """Tests, and files that could not be imported."""
    duration_s: float
    """Seconds."""
    failures: tuple[Failure, ...]
    """Of those that failed and those with errors, in order."""
    by_file: dict[str, int]
    """Test file → tests that passed."""


class Coverage(msgspec.Struct, frozen=True):
    """What of the code the tests ran."""

    percent: float
    """0 to 100, branches counted."""
    lines_covered: int
    """Lines."""
    lines_total: int
    """Lines."""


def read_junit(path: Path) -> Tests:
    """Read pytest's JUnit XML. Raises OSError, ET.ParseError."""
    suite = next(ET.parse(path).getroot().iter("testsuite"))
    failures: list[Failure] = []
    by_file: dict[str, int] = {}
    skipped = errors = 0
    for case in suite.iter("testcase"):
        file = _file_of(case)
        outcome = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if outcome is None:
            by_file[file] = by_file.get(file, 0) + 1
        elif outcome.tag == "skipped":
            skipped += 1
        else:
            errors += outcome.tag == "error"
            failures.append(_failure(f"{file}::{case.get('name', '')}", outcome))
    return Tests(
        passed=sum(by_file.values()),
        failed=len(failures) - errors,
        skipped=skipped,
        errors=errors,
        duration_s=float(suite.get("time") or 0.0),
        failures=tuple(failures),
        by_file=by_file,
    )


def read_coverage(path: Path) -> Coverage:
    """Read coverage.py's JSON report. Raises OSError, msgspec.DecodeError."""
    totals = msgspec.json.decode(path.read_bytes(), type=_CoverageFile).totals
    return Coverage(
        percent=round(totals.percent_covered, 2),
        lines_covered=totals.covered_lines,
        lines_total=totals.num_statements,
    )


class _Totals(msgspec.Struct, frozen=True):
    percent_covered: float
    covered_lines: int
    num_statements: int


class _CoverageFile(msgspec.Struct, frozen=True):
    totals: _Totals


def _file_of(case: ET.Element) -> str:
    """Return the test file; a file that could not be imported stands in the name."""
    module = case.get("classname") or case.get("name") or ""
    return module.replace(".", "/") + ".py"


def _failure(test: str, outcome: ET.Element) -> Failure:
    lines = (outcome.get("message") or outcome.text or "").strip().splitlines() or [""]
    kind, parted, _ = lines[0].partition(":")
    if not parted or " " in kind:
        kind = "AssertionError" if outcome.tag == "failure" else "Error"
    return Failure(test, kind.rsplit(".", 1)[-1], lines[0])
