"""Reports found by pattern: only the run's own, only when they rest, each once."""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.sources.reports import ReportSource

LCOV = "TN:\nSF:x\nLF:{total}\nLH:{covered}\nend_of_record\n"


def _source(folder: Path, since: float = 0.0) -> ReportSource:
    return ReportSource(
        folder, since, coverage_patterns=("*.info", "**/cov.json"), test_patterns=("out/*.xml",), clock=lambda: 0.0
    )


def test_a_report_is_read_once_it_rests_and_again_when_it_has_changed(tmp_path: Path) -> None:
    source = _source(tmp_path)
    assert source.poll(0) == []
    report = tmp_path / "lcov.info"
    report.write_text(LCOV.format(total=10, covered=5))
    assert source.poll(10) == [], "it may be half written"
    fields = {"percent": 50.0, "lines_covered": 5, "lines_total": 10, "source": "lcov.info"}
    assert source.poll(20) == [("coverage.measured", fields)]
    assert source.poll(30) == []
    report.write_text(LCOV.format(total=10, covered=10))
    assert source.poll(40) == []
    assert [found["percent"] for _, found in source.poll(50)] == [100.0]


def test_the_last_look_takes_what_has_just_been_written(tmp_path: Path) -> None:
    source = _source(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.xml").write_text("<testsuite><testcase/></testsuite>")
    (tmp_path / "out" / "b.xml").write_text("<testsuite><testcase><failure/></testcase></testsuite>")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "cov.json").write_text('{"totals": {"covered_lines": 1, "num_statements": 4}}')
    found = source.poll(float("inf"))
    assert [(name, fields["source"]) for name, fields in found] == [
        ("coverage.measured", "deep/er/cov.json"), ("tests.measured", "out/a.xml"), ("tests.measured", "out/b.xml"),
    ]  # fmt: skip
    assert source.poll(float("inf")) == []
    assert [fields.get("file") for _, fields in found] == [None, "out/a.xml", "out/b.xml"]


def test_a_report_that_is_gone_is_told_of_once_another_run_of_the_tests_has_left_its_own(tmp_path: Path) -> None:
    source = _source(tmp_path)
    (tmp_path / "out").mkdir()
    for name in ("a", "b"):
        (tmp_path / "out" / f"{name}.xml").write_text("<testsuite><testcase/></testsuite>")
    assert len(source.poll(float("inf"))) == 2
    for name in ("a", "b"):
        (tmp_path / "out" / f"{name}.xml").unlink()
    assert source.poll(float("inf")) == [], "cleaned up: what they said stands"
    (tmp_path / "out" / "c.xml").write_text("<testsuite><testcase/><testcase/></testsuite>")
    found = [(fields["file"], fields.get("gone", False)) for _, fields in source.poll(float("inf"))]
    assert found == [("out/a.xml", True), ("out/b.xml", True), ("out/c.xml", False)]
    assert source.poll(float("inf")) == []


def test_a_report_with_numbers_that_cannot_be_meant_is_told_and_not_recorded(tmp_path: Path) -> None:
    source = _source(tmp_path)
    (tmp_path / "odd.info").write_text(LCOV.format(total=10**13, covered=1))
    assert source.poll(float("inf")) == []
    assert "lines_total" in source.failures["odd.info"]


def test_what_was_there_before_the_run_is_not_the_runs(tmp_path: Path) -> None:
    report = tmp_path / "lcov.info"
    report.write_text(LCOV.format(total=10, covered=5))
    os.utime(report, (1000, 1000))
    source = _source(tmp_path, since=2000.0)
    assert source.poll(float("inf")) == []
    os.utime(report, (2001, 2001))
    assert len(source.poll(float("inf"))) == 1


def test_what_is_no_report_is_told_with_its_name_and_nothing_else_is_opened(tmp_path: Path) -> None:
    (tmp_path / "bad.info").write_text("hello")
    os.mkfifo(tmp_path / "pipe.info")
    (tmp_path / "folder.info").mkdir()
    (tmp_path / "empty.info").touch()
    source = _source(tmp_path)
    assert source.poll(float("inf")) == []
    assert list(source.failures) == ["bad.info"]
