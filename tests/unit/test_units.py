"""Tests of runwatch.units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch import units

MOMENT = datetime(2026, 11, 21, 1, 31, 55, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T01:31:55.123456Z",
        "2026-11-21T01:31:55.123456+00:00",
        "2026-11-21t01:31:55.123456z",
        "2026-11-21T03:31:55.123456+02:00",
        "2026-11-20T19:01:55.1234569-06:30",
        "2026-11-21 01:31:55.123456",
    ],
)
def test_every_form_of_a_time_is_the_same_moment(text: str) -> None:
    parsed = units.parse_time(text)
    assert parsed == MOMENT
    assert parsed.tzinfo is UTC


def test_a_missing_fraction_is_zero_and_a_leap_second_is_the_one_before() -> None:
    assert units.parse_time("2026-11-21T01:31:55Z") == MOMENT.replace(microsecond=0)
    assert units.parse_time("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "1700000000"])
def test_what_is_no_time_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        units.parse_time(text)


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_time_survives_format_and_parse_whatever_its_offset(moment: datetime, offset_min: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    text = units.format_time(local)
    assert units.parse_time(text) == local
    assert len(text) == len("2026-11-21T01:31:55.123456Z")


def test_seconds_between_crosses_offsets_and_goes_below_zero() -> None:
    assert units.seconds_between("2026-11-21T01:00:00Z", "2026-11-21T03:00:01.5+02:00") == 1.5
    assert units.seconds_between("2026-11-21T01:00:02Z", "2026-11-21T01:00:00Z") == -2.0


@pytest.mark.parametrize(
    "number", [1e308, -1e308, float("inf"), float("nan"), 10**400], ids=lambda number: f"{str(number)[:9]}"
)
def test_a_number_beyond_all_measure_has_a_text_too(number: float) -> None:
    forms = (units.duration_long, units.duration_short, units.latency, units.clock, units.count_short)
    assert all(0 < len(form(number)) <= 8 for form in forms)


def test_times_are_shown_as_people_read_them() -> None:
    assert units.time_of_day("2026-11-21T01:31:55.1239Z") == "01:31:55.123"
    assert units.date_and_time("2026-11-21T01:31:55+01:00") == "2026-11-21 00:31:55 UTC"
    assert units.date_and_time("yesterday") == "yesterday"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (0.4, "0.4s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (154, "2m 34s"),
        (3599.6, "1h 00m 00s"),
        (3723, "1h 02m 03s"),
        (90_000, "1d 01h 00m 00s"),
        (-3, "-3.0s"),
    ],
)
def test_durations_of_summaries(seconds: float, text: str) -> None:
    assert units.duration_long(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (0.96, "1.0s"),
        (1.3, "1.3s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (45, "45s"),
        (59.99, "59s"),
        (60, "1m00s"),
        (154.9, "2m34s"),
        (3723, "1h02m"),
        (400_000, "4d15h"),
        (-45, "-45s"),
    ],
)
def test_durations_of_the_app_take_six_columns_at_most(seconds: float, text: str) -> None:
    assert units.duration_short(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4ms"),
        (0.34, "340ms"),
        (0.9996, "1.00s"),
        (3.5, "3.50s"),
        (9.996, "10.0s"),
        (59.96, "1m00s"),
        (154, "2m34s"),
        (-0.34, "-340ms"),
    ],
)
def test_latencies_have_three_figures(seconds: float, text: str) -> None:
    assert units.latency(seconds) == text


@given(st.floats(0, 10_000_000))
def test_no_duration_of_the_app_is_wider_than_its_column(seconds: float) -> None:
    assert len(units.duration_short(seconds)) <= 6
    assert len(units.latency(seconds)) <= 6


def test_the_clock_of_the_header() -> None:
    assert [units.clock(value) for value in (-1, 7, 761.9, 3723)] == ["0:00", "0:07", "12:41", "1:02:03"]


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (102_350, "100 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (int(1.4 * 1024**3), "1.4 GiB"),
        (5 * 1024**7, "5120 EiB"),
    ],
)
def test_sizes_are_binary_and_say_so(size_bytes: int, text: str) -> None:
    assert units.size(size_bytes) == text


def test_counts() -> None:
    values = (0, 999, 1000, 18_200, 99_960, 182_000, 999_949, 999_950, 1_234_567, 2.5)
    shown = ["0", "999", "1.0k", "18.2k", "100k", "182k", "1.0M", "1.0M", "1.2M", "2.5"]
    assert [units.count_short(value) for value in values] == shown
    assert units.count(12_442) == "12,442"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unpriced"),
        (0, "$0.00"),
        (0.43, "$0.43"),
        (0.0042, "$0.0042"),
        (0.00996, "$0.01"),
        (0.00994, "$0.0099"),
        (0.00001, "<$0.0001"),
        (1234.5, "$1,234.50"),
        (-0.43, "-$0.43"),
    ],
)
def test_money(amount: float | None, text: str) -> None:
    assert units.usd(amount) == text


def test_a_percentage_of_nothing_is_no_number() -> None:
    assert units.percent(None) == "n/a"
    assert units.percent(66.67) == "66.7%"
    assert units.percent(66.67, 2) == "66.67%"


def test_text_is_cut_in_the_middle_or_at_its_end() -> None:
    assert units.cut_middle("abcdefghij", 10) == "abcdefghij"
    assert units.cut_middle("abcdefghij", 7) == "abc…hij"
    assert units.cut_middle("abcdefghij", 2) == "a…"
    assert units.cut_middle("abcdefghij", 0) == ""
    assert units.cut_end("abcdefghij", 7) == "abcdef…"
    assert units.pad("日本", 6) == "日本  "


@given(st.text(), st.integers(0, 40))
def test_cut_text_never_takes_more_columns_than_it_may(text: str, width: int) -> None:
    for cut in (units.cut_middle(text, width), units.cut_end(text, width)):
        assert units.display_width(cut) <= width
        assert cut == text or "…" in cut or width == 0
    assert units.display_width(units.pad(text, width)) == width


def test_width_counts_wide_characters_twice_and_combining_ones_not_at_all() -> None:
    assert units.display_width("abc") == 3
    assert units.display_width("日本語") == 6
    assert units.display_width("e\u0301") == 1


@pytest.mark.parametrize(
    ("amount", "limit", "told"),
    [
        (0.052, 0.05, ("$0.052", "$0.05")),
        (0.0519, 0.0524, ("$0.0519", "$0.0524")),
        (0.05, 0.0500001, ("$0.05", "$0.05")),
        (4.9999, 5.0, ("$4.9999", "$5.00")),
        (0.000042, 0.00003, ("$0.00004", "$0.00003")),
        (0.43, 5.0, ("$0.43", "$5.00")),
        (5.0, 5.0, ("$5.00", "$5.00")),
        (123_456.784, 123_456.78, ("$123,456.78", "$123,456.78")),
        (None, 5.0, ("unpriced", "$5.00")),
    ],
)
def test_money_beside_its_limit_has_the_digits_that_tell_one_from_the_other(
    amount: float | None, limit: float, told: tuple[str, str]
) -> None:
    assert units.usd_and_limit(amount, limit) == told


def test_names_that_would_look_the_same_keep_what_they_differ_in() -> None:
    names = [f"#PROJ-1-a-long-name-{number:03d}-日本語" for number in (7, 17, 170)]
    assert list(units.cut_apart(names, 12).values()) == ["#PRO…007…語", "#PRO…017…語", "#PRO…170…語"]
    assert units.cut_apart(["abcdefghij", "12"], 7) == {"abcdefghij": "abc…hij", "12": "12"}
    twice = [
        "a" * 20 + "1" + "b" * 20 + "2" + "c" * 20,
        "a" * 20 + "1" + "b" * 20 + "3" + "c" * 20,
        "a" * 20 + "4" + "c" * 20,
    ]
    assert len(set(units.cut_apart(twice, 9).values())) == 3


@given(st.lists(st.text(max_size=30), unique=True, max_size=5), st.integers(0, 20))
def test_names_cut_apart_never_take_more_columns_than_they_may(names: list[str], width: int) -> None:
    found = units.cut_apart(names, width)
    assert list(found) == names
    assert all(units.display_width(cut) <= width for cut in found.values())
