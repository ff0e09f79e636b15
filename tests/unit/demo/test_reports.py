"""Reports of pytest and coverage.py, read as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.demo.reports import Failure, read_coverage, read_junit

# In the form of pytest 8 and coverage.py 7, cut to what is read and to one case of each kind.
JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">
<testsuite name="pytest" errors="1" failures="2" skipped="1" tests="5" time="0.152" timestamp="2026-11-21T02:20:51">
<testcase classname="tests.test_money" name="test_amounts" time="0.001" />
<testcase classname="tests.test_money" name="test_half" time="0.002"><failure
 message="AssertionError: assert Decimal('2.67') == Decimal('2.68')&#10; +  where Decimal('2.67') = x">…</failure>
</testcase>
<testcase classname="tests.test_units" name="test_minutes" time="0.001"><failure
 message="decimal.InvalidOperation: [&lt;class 'decimal.ConversionSyntax'&gt;]">…</failure></testcase>
<testcase classname="tests.test_units" name="test_later" time="0.0"><skipped type="pytest.skip" message="later" />
</testcase>
<testcase classname="" name="tests.test_broken" time="0.0"><error message="collection failure">…</error></testcase>
</testsuite></testsuites>
"""
COVERAGE = """{"meta": {"format": 3, "version": "7.11.0"}, "files": {}, "totals": {"covered_lines": 73,
"num_statements": 83, "percent_covered": 84.5360824742268, "percent_covered_display": "85", "missing_lines": 10}}
"""


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT, encoding="utf-8")
    return path


def test_tests_are_counted_by_their_outcome(junit: Path) -> None:
    tests = read_junit(junit)
    assert (tests.passed, tests.failed, tests.skipped, tests.errors) == (1, 2, 1, 1)
    assert tests.duration_s == 0.152
    assert tests.by_file == {"tests/test_money.py": 1}


def test_a_failure_is_named_as_pytest_names_it_with_the_first_line_of_its_message(junit: Path) -> None:
    assert read_junit(junit).failures == (
        Failure(
            "tests/test_money.py::test_half",
            "AssertionError",
            "AssertionError: assert Decimal('2.67') == Decimal('2.68')",
        ),
        Failure(
            "tests/test_units.py::test_minutes",
            "InvalidOperation",
            "decimal.InvalidOperation: [<class 'decimal.ConversionSyntax'>]",
        ),
        Failure("tests/test_broken.py::tests.test_broken", "Error", "collection failure"),
    )


def test_coverage_is_the_percentage_with_branches_and_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    path.write_text(COVERAGE, encoding="utf-8")
    coverage = read_coverage(path)
    assert (coverage.percent, coverage.lines_covered, coverage.lines_total) == (84.54, 73, 83)
