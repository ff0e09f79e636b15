"""What a pipeline of the demo is said to have found."""

from __future__ import annotations

from runwatch.demo import reports
from runwatch.demo.checking import verdict
from runwatch.demo.pipeline import Result


def found(status: str, *failed_jobs: str, passed: int = 0, failed: int = 0, errors: int = 0) -> str:
    tests = reports.Tests(passed, failed, 0, errors, 1.0, (), {})
    return verdict(Result(4, "a" * 40, status, failed_jobs, tests, None, 0.1, 1.0, ()))


def test_the_verdict_counts_what_failed_of_what_ran() -> None:
    assert found("failed", "tests", passed=13, failed=5, errors=1) == "pipeline 4: failed (tests), 6 of 19 tests failed"
    assert found("failed", "tests", failed=1) == "pipeline 4: failed (tests), 1 of 1 test failed"
    assert found("failed", "coverage", passed=19) == "pipeline 4: failed (coverage), 19 tests passed"
    assert found("timeout", "tests") == "pipeline 4: timeout (tests), no test ran"
    assert found("success", passed=1) == "pipeline 4: success, 1 test passed"
