"""What others read of a run, written file by file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from journals import Journal
from runwatch.finalize.publish import Publisher, summary_of
from runwatch.journal.paths import RunPaths
from runwatch.settings import load


def test_an_issue_whose_report_cannot_be_written_keeps_no_other_from_its_report_nor_the_run_from_its_rows(
    tmp_path: Path,
) -> None:
    paths = RunPaths(tmp_path / "runs/baes/r1")
    paths.issues.mkdir(parents=True)
    journal = Journal()
    journal.run_started(run_id="r1")
    for issue in ("first", "遅" * 300, "last"):
        journal.add("issue.started", issue=issue)
        journal.add("issue.completed", issue=issue, status="success")
    journal.run_completed(after=3)
    paths.journal.write_bytes(b"".join(journal.lines))
    in_the_way = paths.issue_file("first", "report")
    in_the_way.mkdir()
    publisher = Publisher(paths, load(tmp_path, {}), {})
    for write in (publisher.live, publisher.reports):
        with pytest.raises(OSError, match="directory"):
            write(journal.metrics())
        assert len([file for file in paths.issues.iterdir() if file.is_file()]) == 5
        assert len((paths.csv / "issues.csv").read_text().splitlines()) == 4
        assert len((paths.root.parent.parent / "csv/issues.csv").read_text().splitlines()) == 4
    assert paths.metadata.exists()
    in_the_way.rmdir()
    publisher.reports(journal.metrics())
    assert in_the_way.is_file()
    publisher.close()


def test_the_summary_of_a_run_whose_journal_is_unreadable_tells_what_the_files_beside_it_hold(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "runs/baes/r1")
    paths.root.mkdir(parents=True)
    paths.journal.write_bytes(b"garbage\n")
    assert re.search(r"Run ID: +r1\nFramework: +baes\n", summary_of(paths.root))
    assert "BROKEN" in summary_of(paths.root, status="broken")
    journal = Journal()
    journal.run_started(run_id="r1", framework="baes")
    journal.run_completed(after=3, status="failed", exit_code=7)
    publisher = Publisher(paths, load(tmp_path, {}), {})
    publisher.live(journal.metrics())
    publisher.close()
    for beside in (paths.metrics, paths.metadata):
        told = summary_of(paths.root, status="broken")
        assert re.search(r"Duration: +3\.0s\nStatus: +FAILED \(exit code 7\)\nRecord: +unreadable: 1\n", told), beside
        beside.unlink()
    paths.metadata.write_text('{"run_id": 1}')
    assert re.search(r"Run ID: +r1\n", summary_of(paths.root))
