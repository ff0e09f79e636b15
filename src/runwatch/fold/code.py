"""Code metrics, coverage and test results, of each issue and of the whole run.

No I/O, no formatting. Definitions: metrics.md, "code".
"""

from __future__ import annotations

from runwatch.events.measures import CoverageMeasured, GitSnapshot, TestsMeasured
from runwatch.fold.clock import micros, seconds
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


_COUNTS = ("passed", "failed", "skipped", "errors")


class Tests:
    """The last test run that was measured: all reports that stand side by side, or what a program said of its own."""

    __test__ = False  # pytest: not a test class
    __slots__ = ("_by_file", "_files", "_is_by_file", "_rewritten", "_said", "_times")

    def __init__(self) -> None:
        self._said: list[TestsMeasured] = []
        """The last that names no file."""
        self._times = 0
        """How many of those there were."""
        self._files: dict[str, TestsMeasured] = {}
        """Path to the last word of each report that stands."""
        self._by_file: dict[str, int] = {}
        """Path to how many times it was written."""
        self._rewritten = 0
        """The most of those: as many times the tests ran."""
        self._is_by_file = False

    def measure(self, event: TestsMeasured) -> None:
        """Take over a test run, or one report of it."""
        file = event.file
        if event.gone:
            if file is not None:
                self._files.pop(file, None)
            return
        self._is_by_file = file is not None
        if file is None:
            self._said = [event]
            self._times += 1
            return
        self._files[file] = event
        self._by_file[file] = times = self._by_file.get(file, 0) + 1
        self._rewritten = max(self._rewritten, times)

    def metrics(self) -> TestMetrics | None:
        """Return it as it is shown; None without any."""
        runs = self._times + self._rewritten
        if not runs:
            return None
        found = list(self._files.values()) if self._is_by_file else self._said
        times = [time for event in found if (time := micros(event.duration_s)) is not None]
        return TestMetrics(
            **{name: sum(getattr(event, name) for event in found) for name in _COUNTS},
            duration_s=seconds(sum(times)) if times else None,
            runs=runs,
        )
