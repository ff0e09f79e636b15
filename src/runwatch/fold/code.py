"""Code metrics, coverage and test results, of each issue and of the whole run.

No I/O, no formatting. Definitions: metrics.md, "code".
"""

from __future__ import annotations

from runwatch.events.measures import CoverageMeasured, GitSnapshot, TestsMeasured
from runwatch.fold.metrics import CodeMetrics, TestMetrics


class Code:
    """The last snapshot, and coverage from the first measure to the last."""

    __slots__ = ("_first_coverage", "_is_measured_again", "_snapshot", "coverage")

    def __init__(self) -> None:
        self._snapshot: GitSnapshot | None = None
        self._first_coverage: float | None = None
        self._is_measured_again = False
        self.coverage: float | None = None

    def see(self, snapshot: GitSnapshot) -> None:
        """Take over a snapshot."""
        self._snapshot = snapshot

    def measure(self, event: CoverageMeasured) -> None:
        """Take over a measure of coverage."""
        self._is_measured_again = self._first_coverage is not None
        if self._first_coverage is None:
            self._first_coverage = event.percent
        self.coverage = event.percent

    def metrics(self) -> CodeMetrics | None:
        """Return it as it is shown; None where there is neither a snapshot nor coverage."""
        if self._snapshot is None and self.coverage is None:
            return None
        code = CodeMetrics(coverage_percent=self.coverage)
        if self.coverage is not None and self._first_coverage is not None and self._is_measured_again:
            code.coverage_change = round(self.coverage - self._first_coverage, 4)
        if (seen := self._snapshot) is not None:
            for name in (
                "branch", "head", "base", "files_created", "files_modified", "files_deleted", "files_renamed",
                "lines_added", "lines_deleted", "commits", "dirty",
            ):  # fmt: skip
                setattr(code, name, getattr(seen, name))
        return code

    @property
    def churn(self) -> int | None:
        """Lines added and deleted; None without a snapshot."""
        return None if self._snapshot is None else self._snapshot.lines_added + self._snapshot.lines_deleted

    @property
    def files(self) -> int:
        """Files created, modified, deleted or renamed."""
        seen = self._snapshot
        if seen is None:
            return 0
        return seen.files_created + seen.files_modified + seen.files_deleted + seen.files_renamed


class Tests:
    """The last test run that was measured."""

    __test__ = False  # pytest: not a test class
    __slots__ = ("_last", "_runs")

    def __init__(self) -> None:
        self._last: TestsMeasured | None = None
        self._runs = 0

    def measure(self, event: TestsMeasured) -> None:
        """Take over a test run."""
        self._last = event
        self._runs += 1

    def metrics(self) -> TestMetrics | None:
        """Return it as it is shown; None without any."""
        last = self._last
        if last is None:
            return None
        return TestMetrics(
            passed=last.passed,
            failed=last.failed,
            skipped=last.skipped,
            errors=last.errors,
            duration_s=last.duration_s,
            runs=self._runs,
        )
