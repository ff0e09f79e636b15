"""When which bytes of the output arrived: written as lines, read back while they grow."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.journal import output_index
from runwatch.journal.output_index import Arrivals, OutputIndex, format_record


def read(path: Path) -> OutputIndex:
    index = OutputIndex(path)
    while index.advance():
        pass
    return index


def test_a_record_is_one_line_of_ascii() -> None:
    assert format_record(1795262400.1234567, "step_001/stdout.log", 42) == b"1795262400.123457 step_001/stdout.log 42\n"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 1000)), min_size=1, max_size=40), st.integers(0, 20_000))
def test_an_offset_has_the_time_of_the_record_it_falls_under(steps: list[tuple[int, int]], offset: int) -> None:
    arrivals, time, at = Arrivals(), 100, 0
    records = []
    for pause, length in steps:
        records.append((time, at))
        arrivals.add(time, at)
        time, at = time + pause, at + length
    assert arrivals.time_of(offset) == max((t, o) for t, o in records if o <= offset)[0]
    for moment in {t for t, _ in records} | {99, time}:
        later = [o for t, o in records if t > moment]
        assert arrivals.offset_after(moment) == (min(later) if later else None)


def test_files_are_told_apart_and_growth_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "output.idx"
    index = OutputIndex(path)
    assert not index.advance()
    with path.open("ab", buffering=0) as file:
        file.write(format_record(10, "stdout.log", 0) + format_record(11, "stderr.log", 0) + b"12.000000 stdout.l")
        index.advance()
        assert index.arrivals("stdout.log").time_of(5) == 10
        file.write(b"og 100\n" + format_record(9, "stdout.log", 200))
        index.advance()
    assert index.arrivals("stdout.log").time_of(150) == 12
    assert index.arrivals("stdout.log").time_of(250) == 12, "a clock that was set back does not turn lines round"
    assert index.arrivals("stderr.log").time_of(0) == 11
    assert index.arrivals("other.log").time_of(0) is None


def test_lines_that_are_no_records_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "output.idx"
    path.write_bytes(
        b"\x00\xff\nnan stdout.log 0\n1.0\n\n" + format_record(10, "stdout.log", 0) + b"x y z\n1.0 \xff 3\n"
    )
    assert read(path).arrivals("stdout.log").time_of(0) == 10


def test_of_a_long_index_the_end_is_known_first_and_all_of_it_later(tmp_path: Path) -> None:
    path = tmp_path / "output.idx"
    path.write_bytes(b"".join(format_record(1000 + n, "stdout.log", n * 100) for n in range(40_000)))
    index = OutputIndex(path)
    assert index.advance()
    assert not index.whole
    arrivals = index.arrivals("stdout.log")
    assert arrivals.time_of(3_999_950) == 40_999
    assert arrivals.time_of(2_500_000) is None
    while index.advance():
        pass
    assert index.whole
    assert [arrivals.time_of(n * 100 + 50) for n in range(0, 40_000, 777)] == [1000 + n for n in range(0, 40_000, 777)]


def test_an_index_that_was_begun_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "output.idx"
    path.write_bytes(b"".join(format_record(n, "stdout.log", n) for n in range(10)))
    index = read(path)
    path.write_bytes(format_record(500, "stdout.log", 0))
    while index.advance():
        pass
    assert index.arrivals("stdout.log").time_of(5) == 500


def test_days_of_records_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_index, "_FULL_RECORDS", 100)
    arrivals = Arrivals()
    for number in range(10_000):
        arrivals.add(number * 0.01, number * 50)
    assert len(arrivals) < 2000
    for number in range(0, 10_000, 97):
        found = arrivals.time_of(number * 50)
        assert found is not None
        assert abs(found - number * 0.01) <= 0.12


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(format_record(10, "stdout.log", 0))
    (tmp_path / "output.idx").symlink_to(tmp_path / "real")
    assert read(tmp_path / "output.idx").arrivals("stdout.log").time_of(0) is None
