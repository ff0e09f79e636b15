"""Code, coverage and tests; and the process tree."""

from __future__ import annotations

import msgspec

from journals import Journal
from runwatch.views import csv_rows, summary_markdown, summary_text


def test_the_last_snapshot_counts_for_the_run_and_for_the_issue_that_it_was_made_for() -> None:
    journal = Journal()
    journal.add("git.snapshot", branch="main", head="1", lines_added=1)
    journal.add("git.snapshot", branch="main", head="2", lines_added=5, lines_deleted=2, commits=1, dirty=True)
    journal.add("git.snapshot", issue=3, branch="fix", files_renamed=4)
    metrics = journal.metrics()
    assert metrics.code is not None
    assert (metrics.code.head, metrics.code.lines_added, metrics.code.commits, metrics.code.dirty) == ("2", 5, 1, True)
    assert metrics.issues[0].code is not None
    assert (metrics.issues[0].code.branch, metrics.issues[0].code.files_renamed) == ("fix", 4)


def test_a_run_whose_issues_alone_were_measured_shows_the_last_of_them() -> None:
    journal = Journal()
    assert journal.metrics().code is None
    for issue in (1, 2):
        journal.add("git.snapshot", issue=issue, branch=f"b{issue}")
    code = journal.metrics().code
    assert code is not None
    assert code.branch == "b2"


def test_coverage_is_the_last_and_its_change_since_the_first() -> None:
    journal = Journal()
    for percent in (79.8, 90.0, 81.2):
        journal.add("coverage.measured", percent=percent)
    journal.add("coverage.measured", issue=1, percent=50)
    metrics = journal.metrics()
    assert metrics.code is not None
    assert (metrics.code.coverage_percent, metrics.code.coverage_change, metrics.code.head) == (81.2, 1.4, None)
    assert metrics.issues[0].test_coverage == 50.0


def test_the_last_test_run_counts() -> None:
    journal = Journal()
    assert journal.metrics().tests is None
    journal.add("tests.measured", passed=1, failed=9)
    journal.add("tests.measured", passed=9, failed=1, skipped=2, errors=3, duration_s=1.5)
    tests = journal.metrics().tests
    assert tests is not None
    assert (tests.passed, tests.failed, tests.skipped, tests.errors, tests.duration_s, tests.runs) == (
        9, 1, 2, 3, 1.5, 2,
    )  # fmt: skip


def test_reports_that_stand_side_by_side_are_added_up_and_one_that_is_written_again_replaces_itself() -> None:
    journal = Journal()
    journal.add("tests.measured", passed=1, failed=2, duration_s=0.25, file="junit/A.xml")
    journal.add("tests.measured", passed=1, skipped=1, file="junit/B.xml")
    tests = journal.metrics().tests
    assert tests is not None
    assert (tests.passed, tests.failed, tests.skipped, tests.duration_s, tests.runs) == (2, 2, 1, 0.25, 1)
    journal.add("tests.measured", passed=3, duration_s=0.5, file="junit/A.xml")
    tests = journal.metrics().tests
    assert tests is not None
    assert (tests.passed, tests.failed, tests.skipped, tests.duration_s, tests.runs) == (4, 0, 1, 0.5, 2)
    journal.add("tests.measured", gone=True, file="junit/B.xml")
    tests = journal.metrics().tests
    assert tests is not None
    assert (tests.passed, tests.skipped, tests.runs) == (3, 0, 2)


def test_what_a_program_says_of_its_tests_is_not_added_to_what_files_say() -> None:
    journal = Journal()
    journal.add("tests.measured", passed=1, file="A.xml")
    journal.add("tests.measured", passed=7, failed=1, source="pipeline 1: junit.xml")
    tests = journal.metrics().tests
    assert tests is not None
    assert (tests.passed, tests.failed, tests.runs) == (7, 1, 2)
    journal.add("tests.measured", passed=2, file="B.xml")
    tests = journal.metrics().tests
    assert tests is not None
    assert (tests.passed, tests.failed, tests.runs) == (3, 0, 2)


def test_resources_are_the_last_the_peak_and_the_mean() -> None:
    journal = Journal()
    assert journal.metrics().resources.samples == 0
    journal.add("resource.sample", cpu_percent=100.0, rss_bytes=900, processes=3, read_bytes=10, written_bytes=5)
    journal.add("resource.sample", cpu_percent=50.0, rss_bytes=400, processes=1, read_bytes=7)
    seen = journal.metrics().resources
    assert (seen.samples, seen.cpu_percent, seen.mean_cpu_percent) == (2, 50.0, 75.0)
    assert (seen.rss_bytes, seen.peak_rss_bytes, seen.processes) == (400, 900, 1)
    assert (seen.read_bytes, seen.written_bytes) == (10, 5)


def test_what_nobody_measured_is_told_as_nothing_not_as_none() -> None:
    journal = Journal()
    journal.add("coverage.measured", issue=1, percent=81.25)
    metrics = journal.metrics()
    code = metrics.issues[0].code
    assert code is not None
    told = msgspec.structs.asdict(code)
    assert {name for name, value in told.items() if value is not None} == {"coverage_percent"}
    assert code.changes is None
    (row,) = csv_rows.rows_of("issues", metrics, metrics.issues)
    cells = dict(zip(csv_rows.COLUMNS["issues"], row, strict=True))
    names = ("files_created", "files_modified", "lines_added", "lines_deleted", "commits")
    assert [cells[name] for name in names] == [""] * 5
    for view in (summary_text.render(metrics), summary_markdown.render(metrics)):
        assert "commits since" not in view


def test_a_snapshot_without_changes_is_told_as_none() -> None:
    journal = Journal()
    journal.add("git.snapshot", branch="b")
    code = journal.metrics().code
    assert code is not None
    assert (code.commits, code.dirty, code.files_created) == (0, False, 0)
    assert code.changes is not None
    assert code.changes.files == 0
