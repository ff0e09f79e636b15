"""What others read of a run, written file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from journals import Journal
from runwatch.finalize.publish import Publisher
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
