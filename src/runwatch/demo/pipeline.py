"""The demo's pipeline: one commit checked out beside the work tree, tested by pytest, measured by coverage.py.

Must not record anything: whoever asks for a pipeline does that. Nothing of it is a stand-in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec

from runwatch.demo import git_cli
from runwatch.demo.environment import for_pytest
from runwatch.demo.reports import Coverage, Tests, read_coverage, read_junit

_LIMIT_S = 60.0
"""Seconds after which a job is ended: a repair may have made an endless loop."""
_NO_TESTS = Tests(0, 0, 0, 0, 0.0, (), {})


class Result(msgspec.Struct, frozen=True):
    """What became of one pipeline."""

    number: int
    """Its id in this run."""
    commit: str
    """Full object id of what was tested."""
    status: str
    """success, failed or timeout."""
    failed_jobs: tuple[str, ...]
    """``tests``, ``coverage``."""
    tests: Tests
    """From the JUnit report."""
    coverage: Coverage | None
    """From the coverage report; None where only some tests were asked for."""
    queued_s: float
    """Seconds until the commit was checked out."""
    duration_s: float
    """Seconds of the jobs."""
    reports: tuple[Path, ...]
    """The report files."""

    @property
    def passed(self) -> bool:
        """Whether every job did."""
        return self.status == "success"

    @property
    def error_type(self) -> str | None:
        """What the first failure was."""
        if self.tests.failures:
            return self.tests.failures[0].error_type
        return None if self.passed else self.status


def run(repository: Path, number: int, commit: str, targets: tuple[str, ...]) -> Result:
    """Test a commit; without targets everything is tested, and coverage must reach the package's own bar."""
    reports = repository / ".demo" / f"pipeline-{number}"
    reports.mkdir(parents=True, exist_ok=True)
    queued = time.monotonic()
    checkout = Path(tempfile.mkdtemp(prefix="runwatch-demo-pipeline-"))
    try:
        git_cli.run(repository, "worktree", "add", "--quiet", "--detach", "--force", str(checkout), commit)
        started = time.monotonic()
        failed_jobs, timed_out = _run_jobs(checkout, reports, targets)
        ended = time.monotonic()
    finally:
        shutil.rmtree(checkout, ignore_errors=True)
        git_cli.run(repository, "worktree", "prune", check=False)
    return Result(
        number=number,
        commit=commit,
        status="timeout" if timed_out else "failed" if failed_jobs else "success",
        failed_jobs=tuple(failed_jobs),
        tests=_tests(reports / "junit.xml"),
        coverage=None if targets else _coverage(reports / "coverage.json"),
        queued_s=round(started - queued, 6),
        duration_s=round(ended - started, 6),
        reports=tuple(sorted(path for path in reports.iterdir() if path.suffix in (".xml", ".json"))),
    )


def _run_jobs(checkout: Path, reports: Path, targets: tuple[str, ...]) -> tuple[list[str], bool]:
    """Run the jobs; return those that failed, and whether that was for the time they took."""
    own = ["-q", "--color=no", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={reports / 'junit.xml'}"]
    pytest = ["-m", "pytest", *own, *targets]
    try:
        if targets:
            return (["tests"] if _python(checkout, reports, *pytest) else []), False
        failed = ["tests"] if _python(checkout, reports, "-m", "coverage", "run", *pytest) else []
        if _python(checkout, reports, "-m", "coverage", "json", "-q", "-o", str(reports / "coverage.json")):
            failed.append("coverage")
    except subprocess.TimeoutExpired:
        return ["tests"], True
    return failed, False


def _python(checkout: Path, reports: Path, *arguments: str) -> int:
    """Run one Python program in the checkout; its output is ours. Returns its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    environ = for_pytest(os.environ) | {"COVERAGE_FILE": str(reports / ".coverage")}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=checkout, env=environ, stdin=subprocess.DEVNULL, timeout=_LIMIT_S).returncode


def _tests(path: Path) -> Tests:
    try:
        return read_junit(path)
    except (OSError, ET.ParseError, StopIteration):
        return _NO_TESTS  # pytest could not even begin; the failed job says so


def _coverage(path: Path) -> Coverage | None:
    try:
        return read_coverage(path)
    except (OSError, msgspec.DecodeError):
        return None
