"""The time that a line states, from its bytes alone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.journal.log_lines import parse_line
from runwatch.journal.log_time import epoch_seconds, line_time, line_times

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1))


@pytest.fixture
def in_tokyo() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"ts":"2026-11-21T12:00:00Z"}',
        b'{"level":"INFO","ts": "2026-11-21T12:00:00.000000+00:00"}',
        b'{"a":{"time":"2000-01-01T00:00:00Z"},"time":"2026-11-21 12:00:00Z"}',
        b'  { "timestamp" : 1795262400 }',
        b'{"@timestamp": 1795262400000.0, "b": 1}',
        b'{"time": 1795262400000000000}',
        b"2026-11-21T12:00:00Z hello",
        b"(2026-11-21 07:00:00.0-05:00) hello",
        b"WARNING: 2026-11-21 12:00:00Z hello",
        b"level=info time=2026-11-21T12:00:00Z",
        b'ts="2026-11-21 12:00:00Z" msg=x',
    ],
)
def test_every_usual_form_is_read(raw: bytes) -> None:
    assert line_time(raw) == NOON


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello 2026-11-21T12:00:00Z",
        b'{"msg": "ts", "note": "2026-11-21T12:00:00Z"}',
        b'{"ts": "soon"}',
        b'{"ts": 3}',
        b'{"ts": "2026-13-45T99:99:99Z"}',
        b"2026-02-30T12:00:00Z hello",
        b"12:00:00 hello",
        b"99:99:99 hello",
        b"at=2026-11-21T12:00:00Z",
        b"\xff\xfe\x00",
    ],
)
def test_what_states_no_time_has_none(raw: bytes) -> None:
    assert line_time(raw) is None


def test_a_time_without_an_offset_is_local(in_tokyo: None) -> None:
    assert line_time(b"2026-11-21 21:00:00,000 INFO hello") == NOON
    assert line_time(b"21:00:00 INFO hello", near=NOON) == NOON


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_any_moment_in_any_zone_comes_back(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    for raw in (
        json.dumps({"ts": aware.isoformat()}),
        f"{aware.isoformat(' ')} INFO hello",
        f"ts={aware.isoformat()} a=b",
    ):
        assert line_time(raw.encode()) == pytest.approx(aware.timestamp(), abs=1e-5)


@given(MOMENTS)
def test_the_cheap_way_and_the_full_one_agree(moment: datetime) -> None:
    text = moment.replace(tzinfo=UTC).isoformat()
    for raw in (
        json.dumps({"ts": text, "msg": "x"}),
        json.dumps({"msg": "x", "nested": {"ts": 1}, "time": text}),
        f"{text} ERROR x",
        f"\x1b[2m[{text}]\x1b[0m \x1b[31mERROR\x1b[0m x",
        f"level=info ts={text} msg=x",
    ):
        assert line_time(raw.encode()) == parse_line(raw.encode()).time


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    for line in (raw, b'{"ts":' + raw, b"2026-11-21" + raw, b"ts=" + raw):
        assert line_time(line, near=NOON) is None or isinstance(line_time(line, near=NOON), float)


def test_a_line_that_goes_on_for_ever_is_told_by_its_head() -> None:
    head = b'{"level":"INFO","ts":"2026-11-21T12:00:00Z","data":"'
    assert line_time(head + b"x" * 10_000_000) == NOON
    assert line_time(b'{"data":"' + b"x" * 10_000 + b'","ts":"2026-11-21T12:00:00Z"}') is None


@pytest.mark.parametrize("factor", [1, 1e3, 1e6, 1e9])
def test_numbers_are_told_apart_by_size(factor: float) -> None:
    assert epoch_seconds(NOON * factor) == pytest.approx(NOON)


@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["json", "text", "bracket", "json ", "bare", "late"])), min_size=1))
def test_many_lines_at_once_have_the_times_of_each(kinds: list[tuple[datetime, str]]) -> None:
    lines = []
    for moment, kind in kinds:
        text = moment.replace(tzinfo=UTC).isoformat()
        lines.append(
            {
                "json": f'{{"ts":"{text}","msg":"2026-01-01T00:00:00Z"}}',
                "json ": f'{{"time": "{text}"}}',
                "text": f"{text} INFO x",
                "bracket": f"[{text}] x",
                "bare": "Traceback",
                "late": f'{{"msg":"x","ts":"{text}"}}',
            }[kind].encode()
        )
    found = line_times(b"\n".join(lines) + b"\n", len(lines))
    assert found is None or found == [line_time(line) for line in lines]
    if not {"bare", "late"} & {kind for _, kind in kinds}:
        assert found is not None


def test_a_date_that_does_not_exist_is_left_to_the_slow_way() -> None:
    assert line_times(b"2026-02-30T12:00:00Z x\n2026-02-28T12:00:00Z x\n", 2) is None
