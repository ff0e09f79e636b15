"""Trends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journals import START, Journal, text_of
from runwatch.fold.series import BUCKETS, Share, Trends


def test_tokens_and_cost_fall_into_the_second_of_their_call() -> None:
    journal = Journal()
    journal.run_started()
    journal.llm(after=0.2, model="m", prompt_tokens=10, completion_tokens=0, cost_usd=0.5)
    journal.llm(after=0.2, model="m", prompt_tokens=5, completion_tokens=0)
    journal.llm(after=3.0, model="m", prompt_tokens=7, completion_tokens=0, cost_usd=0.25)
    series = journal.metrics().series
    assert series.bucket_s == 1.0
    assert series.tokens == [15, 0, 0, 7]
    assert series.cost_usd == [0.5, 0.0, 0.0, 0.25]


def test_samples_are_a_mean_and_a_peak() -> None:
    journal = Journal()
    journal.run_started()
    for cpu, rss in ((10.0, 500), (20.0, 900), (60.0, 100)):
        journal.add("resource.sample", cpu_percent=cpu, rss_bytes=rss)
    journal.add("resource.sample", after=2, cpu_percent=5.0, rss_bytes=1)
    series = journal.metrics().series
    assert (series.cpu_percent, series.rss_bytes) == ([30.0, 0.0, 5.0], [900, 0, 1])


USES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 1000)), min_size=1, max_size=60)


def begun() -> Trends:
    trends = Trends()
    trends.begin(text_of(START))
    return trends


def use(trends: Trends, second: int, tokens: int, share: Share, *, counts: bool = True) -> None:
    minutes, rest = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    ts = f"2026-11-{21 + days:02d}T{(10 + hours) % 24:02d}:{minutes:02d}:{rest:02d}.000000Z"
    trends.use(ts, tokens, tokens, share, counts=counts)


@given(USES)
def test_sums_and_bounds_hold_however_long_the_run(uses: list[tuple[int, int]]) -> None:
    trends, share = begun(), Share()
    for second, tokens in uses:
        use(trends, second, tokens, share)
    series = trends.series()
    assert sum(series.tokens) == sum(tokens for _, tokens in uses)
    assert sum(series.cost_usd) == pytest.approx(sum(tokens for _, tokens in uses) / 1e12)
    assert len(series.tokens) == len(series.cpu_percent) == len(series.rss_bytes) <= BUCKETS


@given(USES, USES)
def test_one_of_two_shares_counts_whenever_it_is_told_which(
    uses: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    trends, first, second = begun(), Share(), Share()
    for at, tokens in uses:
        use(trends, at, tokens, first)
    for at, tokens in others:
        use(trends, at, tokens, second, counts=False)
    trends.shift(first, -1)
    trends.shift(second, 1)
    plain, share = begun(), Share()
    for at, _ in uses:
        use(plain, at, 0, share)
    for at, tokens in others:
        use(plain, at, tokens, share)
    assert trends.series() == plain.series()


def test_full_buckets_become_half_as_many_of_twice_the_width() -> None:
    journal = Journal()
    journal.run_started()
    for _ in range(BUCKETS + 1):
        journal.add("resource.sample", cpu_percent=50.0, rss_bytes=7)
        journal.add("llm.completed", after=1, model="m", prompt_tokens=1, completion_tokens=0)
    series = journal.metrics().series
    assert series.bucket_s == 2.0
    assert len(series.tokens) == BUCKETS // 2 + 1
    assert sum(series.tokens) == BUCKETS + 1
    assert set(series.cpu_percent) == {50.0}


def test_a_peak_stays_when_buckets_become_one() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("resource.sample", cpu_percent=1.0, rss_bytes=100)
    journal.add("resource.sample", after=1, cpu_percent=1.0, rss_bytes=900)
    journal.add("resource.sample", after=BUCKETS, cpu_percent=1.0, rss_bytes=50)
    series = journal.metrics().series
    assert (series.bucket_s, series.rss_bytes[0], series.rss_bytes[-1]) == (2.0, 900, 50)


def test_what_is_older_than_the_start_falls_into_the_first_bucket() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("llm.completed", ts="2020-01-01T00:00:00.000000Z", model="m", prompt_tokens=3, completion_tokens=0)
    assert journal.metrics().series.tokens == [3]
