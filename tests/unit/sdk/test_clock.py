"""The wall clock as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine

from runwatch.sdk.clock import WallClock, text_of
from runwatch.units import format_time, parse_time


def test_it_says_the_time_to_the_microsecond_across_seconds() -> None:
    clock = WallClock()
    start = datetime(2026, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as traveller:
        for micros in range(5):
            assert clock.text() == format_time(start + timedelta(microseconds=micros))
            traveller.shift(timedelta(microseconds=1))


def test_it_agrees_with_the_system_clock() -> None:
    before = datetime.now(UTC)
    shown = parse_time(WallClock().text())
    assert before - timedelta(microseconds=1) <= shown <= datetime.now(UTC)


def test_seconds_become_the_same_text() -> None:
    assert text_of(0.25) == "1970-01-01T00:00:00.250000Z"
