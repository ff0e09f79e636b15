"""Numbers as pictures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runwatch.tui import charts

VALUES = st.lists(st.floats(min_value=0, max_value=1e12), max_size=130)


@given(VALUES, st.integers(min_value=1, max_value=60), st.integers(min_value=1, max_value=8))
def test_an_area_has_the_size_that_was_asked(values: list[float], width: int, height: int) -> None:
    rows = charts.area(values, width, height)
    assert [sum(len(text) for text, _ in runs) for runs in rows] == [width] * height


def test_the_largest_value_fills_the_height_and_a_small_one_is_never_invisible() -> None:
    assert charts.sparkline([0, 1, 1000, 500], 4) == " ▁█▄"
    assert charts.sparkline([], 3) == "   "
    assert charts.sparkline([0, 0], 3) == "   "


def test_what_was_drawn_stays_where_it_is_while_values_are_added() -> None:
    values = [float(number % 7) for number in range(50)]
    before = charts.resample(values, 30)
    after = charts.resample([*values, 3.0], 30)
    assert after[: len(before) - 1] == before[:-1]


def test_only_the_upper_edge_of_an_area_is_marked_as_edge() -> None:
    upper, lower = charts.area([8.0, 4.0], 2, 2)
    assert upper == [("█ ", True)]
    assert lower == [("█", False), ("█", True)]


def test_moments_without_a_sample_are_as_high_as_the_one_before() -> None:
    assert charts.bridged([5, 0, 7, 0], [1, 0, 1, 0]) == [5, 5, 7, 7]
    assert charts.bridged([0, 4], [0, 1]) == [0.0, 4]


def test_an_axis_ends_where_the_last_column_stands() -> None:
    assert charts.axis(20, 40, "0:20") == "0:00 ────────── 0:20".ljust(40)
    assert charts.axis(2, 40, "0:02") == "0:00 ".ljust(40)


@given(st.floats(min_value=0, max_value=1), st.integers(min_value=0, max_value=60))
def test_both_parts_of_a_progress_bar_fill_its_width(ratio: float, width: int) -> None:
    done, rest = charts.progress(ratio, width)
    assert len(done) + len(rest) == width


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=4), st.integers(4, 60))
def test_shares_fill_the_width_and_none_above_zero_is_left_out(counts: list[int], width: int) -> None:
    cells = charts.split(counts, width)
    assert sum(cells) == (width if any(counts) else 0)
    assert all((cell > 0) == (number > 0) for cell, number in zip(cells, counts, strict=True))
