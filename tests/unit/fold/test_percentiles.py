"""Percentiles from buckets."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runwatch.fold.percentiles import Histogram

durations = st.lists(st.integers(0, 10**13), min_size=1, max_size=200)


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(durations, st.floats(0.0, 1.0))
@example([2, 3], 0.0)
def test_every_percentile_is_within_one_percent(values: list[int], fraction: float) -> None:
    exact = sorted(values)[max(1, math.ceil(fraction * len(values))) - 1] / 1e6
    assert filled(values).percentiles(fraction)[0] == pytest.approx(exact, rel=0.01, abs=1e-9)


@given(durations)
def test_sum_mean_and_largest_are_exact(values: list[int]) -> None:
    shown = filled(values).durations()
    assert shown.total_s == sum(values) / 1e6
    assert shown.mean_s == round(sum(values) / len(values) / 1e6, 6)
    assert shown.max_s == max(values) / 1e6
    assert shown.p50_s is not None
    assert shown.p95_s is not None
    assert min(values) / 1e6 <= shown.p50_s <= shown.p95_s <= shown.max_s


@given(durations, durations)
def test_merged_histograms_are_those_of_all_values(left: list[int], right: list[int]) -> None:
    merged = filled(left)
    merged.merge(filled(right))
    assert merged.durations() == filled(left + right).durations()


@given(durations, durations)
def test_what_is_taken_out_again_was_never_there(left: list[int], right: list[int]) -> None:
    both = Histogram()
    parts = filled(left), filled(right)
    for part in parts:
        both.merge(part)
    both.take(parts[1])
    both.bound(parts[:1])
    assert (both.durations(), both.exposed) == (parts[0].durations(), parts[0].exposed)
    both.take(parts[0])
    both.bound([])
    assert both.durations() == Histogram().durations()


def test_of_nothing_there_are_none() -> None:
    histogram = Histogram()
    histogram.merge(Histogram())
    shown = histogram.durations()
    assert (shown.total_s, shown.mean_s, shown.p50_s, shown.max_s) == (0.0, None, None, None)


def test_a_single_value_is_exact() -> None:
    shown = filled([1_234_567]).durations()
    assert (shown.p50_s, shown.p95_s, shown.max_s) == (1.234567, 1.234567, 1.234567)


def test_buckets_are_bounded() -> None:
    histogram = filled([int(1.001**exponent) for exponent in range(41_000)])
    assert histogram.count == 41_000
    assert len(histogram.buckets) < 2300
