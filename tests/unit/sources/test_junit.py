"""JUnit XML as the real pytest writes it, and what other tools make of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runwatch.sources import junit
from runwatch.sources.coverage import NoReport

TESTS = """
import pytest

def test_passes(): pass
def test_passes_too(): pass
def test_fails(): assert 0
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_fails_as_expected(): assert 0
@pytest.fixture
def broken(): raise OSError
def test_error(broken): pass
"""


def test_a_real_report_says_what_pytest_says(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    last = done.stdout.splitlines()[-1]
    said = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)}
    found = junit.read(tmp_path / "report.xml")
    assert (found["passed"], found["failed"]) == (said["passed"], said["failed"]) == (2, 1)
    assert found["skipped"] == said["skipped"] + said["xfailed"] == 2
    assert found["errors"] == said["error"] == 1
    assert found["duration_s"] > 0


def test_nested_suites_and_wrong_totals_are_counted_by_their_cases(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text(
        '<testsuites tests="99"><testsuite name="a" tests="99" time="1,002.5"><testsuite name="b" time="7">'
        '<testcase name="1" time="0.5"/><testcase name="2"><failure/><error/></testcase></testsuite>'
        '<testcase name="3"><skipped/></testcase></testsuite><testsuite time="2"/></testsuites>'
    )
    expected = {"passed": 1, "failed": 0, "skipped": 1, "errors": 1, "duration_s": 1004.5}
    assert junit.read(path) == expected


def test_a_report_without_its_end_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text('<testsuite><testcase time="0.25"/><testcase time="0.5"><failure/></testcase><testcase tim')
    assert junit.read(path) == {"passed": 1, "failed": 1, "skipped": 0, "errors": 0, "duration_s": 0.75}


@pytest.mark.parametrize("content", ["", "words", "<html><testcase/></html>"])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.xml"
    path.write_text(content)
    with pytest.raises(NoReport):
        junit.read(path)
