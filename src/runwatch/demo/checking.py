"""Running a pipeline under record: its events, its reports, and what the logs say of it.

Must not judge a repair: it says what failed.
"""

from __future__ import annotations

import shutil
from itertools import count

from runwatch import IssueTracker, service, tool
from runwatch.demo import pipeline
from runwatch.demo.bench import Bench


class Pipelines:
    """The pipelines of one run, numbered in order."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._numbers = count(1)

    def run(
        self, commit: str, *, by: str, targets: tuple[str, ...] = (), tracker: IssueTracker | None = None
    ) -> pipeline.Result:
        """Run one and record it, as an attempt at the tracker's issue or as the run's own."""
        bench, number = self._bench, next(self._numbers)
        issue = None if tracker is None else tracker.issue_id
        about = {"pipeline_id": number, "commit_sha": commit, "triggered_by": by}
        bench.say(f"pipeline {number} on {commit[:10]}: pytest {' '.join(targets) or 'and coverage'}")
        bench.run.emit("pipeline.started", about | {"issue": issue})
        with tool("run_tests"):
            result = pipeline.run(bench.repository, number, commit, targets)
        self._tell(result)
        self._measure(result, issue)
        more = {"failed_jobs": list(result.failed_jobs), "error_type": result.error_type}
        if tracker is not None:
            times = {"queue_time": result.queued_s, "execution_time": result.duration_s, "triggered_by": by}
            tracker.record_pipeline_attempt(number, result.status, commit, **times, **more)
        else:
            times = {"queued_s": result.queued_s, "duration_s": result.duration_s}
            bench.run.emit("pipeline.completed", about | {"status": result.status} | times | more)
        self._store(result)
        return result

    def _measure(self, result: pipeline.Result, issue: int | str | None) -> None:
        tests = result.tests
        self._bench.run.emit(
            "tests.measured",
            {
                "issue": issue,
                "passed": tests.passed,
                "failed": tests.failed,
                "skipped": tests.skipped,
                "errors": tests.errors,
                "duration_s": tests.duration_s,
                "source": f"pipeline {result.number}: junit.xml",
            },
        )
        if result.coverage is not None:
            self._bench.run.emit(
                "coverage.measured",
                {
                    "issue": issue,
                    "percent": result.coverage.percent,
                    "lines_covered": result.coverage.lines_covered,
                    "lines_total": result.coverage.lines_total,
                    "source": f"pipeline {result.number}: coverage.json",
                },
            )

    def _tell(self, result: pipeline.Result) -> None:
        bench, tests = self._bench, result.tests
        for failure in tests.failures:
            bench.validator.error("%s: %s", failure.test, failure.message, extra={"pipeline": result.number})
        (bench.say if result.passed else bench.complain)(verdict(result))

    def _store(self, result: pipeline.Result) -> None:
        """Keep the reports where the run keeps its artifacts."""
        if self._bench.run.path is None:
            return
        folder = self._bench.run.path / "artifacts" / f"pipeline-{result.number}"
        with service("artifact_store", "put"):
            folder.mkdir(parents=True, exist_ok=True)
            for report in result.reports:
                shutil.copy2(report, folder)
            self._bench.pace.rest(0.05)


def verdict(result: pipeline.Result) -> str:
    """Word what became of a pipeline, in one line."""
    tests, told = result.tests, f"pipeline {result.number}: {result.status}"
    if not result.passed:
        told += f" ({', '.join(result.failed_jobs)})"
    failed = tests.failed + tests.errors
    ran = tests.passed + failed
    if not ran:
        return f"{told}, no test ran"
    some = f"{ran} test" if ran == 1 else f"{ran} tests"
    return f"{told}, {failed} of {some} failed" if failed else f"{told}, {some} passed"
