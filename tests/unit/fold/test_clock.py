"""Times and durations."""

from __future__ import annotations

import pytest

from runwatch.fold.clock import canonical_time, elapsed, micros, micros_of, until


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T01:31:55.123456Z", "2026-11-21T01:31:55.123456Z"),
        ("2026-11-21T03:31:55+02:00", "2026-11-21T01:31:55.000000Z"),
        ("2026-11-21 01:31:55.5", "2026-11-21T01:31:55.500000Z"),
        ("yesterday", None),
        ("", None),
        ("2026-13-41T01:31:55Z", None),
        ("0001-01-01T00:00:00+23:59", None),
    ],
)
def test_times_are_made_canonical_or_passed_over(text: str, expected: str | None) -> None:
    assert canonical_time(text) == expected


def test_microseconds_are_exact() -> None:
    assert micros_of("2026-11-21T01:31:55.123457Z") == 1795224715123457
    assert micros_of(None) is None
    assert micros_of("x") is None


@pytest.mark.parametrize("value", [None, -1.0, float("nan"), float("inf"), 1e300])
def test_what_cannot_be_a_duration_is_none(value: float | None) -> None:
    assert micros(value) is None


def test_a_clock_of_one_process_is_compared_and_else_the_times() -> None:
    start = ("2026-11-21T10:00:00.000000Z", 5.0, "a")
    assert elapsed(start, ("2026-11-21T10:00:09.000000Z", 7.5, "a")) == 2_500_000
    assert elapsed(start, ("2026-11-21T10:00:09.000000Z", 7.5, "b")) == 9_000_000
    assert elapsed(start, ("2026-11-21T10:00:09.000000Z", None, "a")) == 9_000_000
    assert elapsed(start, ("2026-11-21T09:00:00.000000Z", None, "a")) == 0
    assert elapsed((None, None, None), start) is None


def test_until_now_is_never_negative() -> None:
    assert until("2026-11-21T10:00:00Z", "2026-11-21T10:00:01Z") == 1_000_000
    assert until("2026-11-21T10:00:00Z", "2026-11-21T09:00:01Z") == 0
    assert until(None, "2026-11-21T09:00:01Z") == 0
