"""Durations of one kind of call in fixed logarithmic buckets: percentiles within 1 % in bounded memory.

No I/O, no formatting. **Source**: Masson, Rim, Lee, "DDSketch", VLDB 2019, section 2: with bucket bounds that grow by
(1 + a) / (1 - a), the middle of a bucket is within the fraction a of every value in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from math import ceil, log

from runwatch.events.instruments import DURATION_EDGES
from runwatch.fold.clock import seconds
from runwatch.fold.metrics import Durations

_ERROR = 0.0099
_GROWTH = (1 + _ERROR) / (1 - _ERROR)
_SCALE = 1 / log(_GROWTH)
_MIDDLE = 2 / (1 + _GROWTH)
_EDGES = tuple(round(edge * 1e6) for edge in DURATION_EDGES)


class Histogram:
    """Durations in whole microseconds. At most some 2,200 buckets, from a microsecond to 10¹² seconds."""

    __slots__ = ("buckets", "count", "exposed", "largest", "smallest", "total")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.smallest = 0
        self.largest = 0
        self.exposed = [0] * (len(_EDGES) + 1)
        """Durations in the buckets that Prometheus sees; the last takes those above all edges."""

    def add(self, value: int) -> None:
        """Count one duration."""
        if value > self.largest:
            self.largest = value
        if value < self.smallest or not self.count:
            self.smallest = value
        self.count += 1
        self.total += value
        bucket = ceil(log(value) * _SCALE) if value > 0 else -1
        buckets = self.buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        self.exposed[bisect_left(_EDGES, value)] += 1

    def merge(self, other: Histogram) -> None:
        """Count all durations of another."""
        if not other.count:
            return
        self.smallest = min(self.smallest, other.smallest) if self.count else other.smallest
        self.largest = max(self.largest, other.largest)
        self.count += other.count
        self.total += other.total
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.exposed = [one + another for one, another in zip(self.exposed, other.exposed, strict=True)]

    def take(self, other: Histogram) -> None:
        """Count none of another's durations any more. What is smallest and largest must be told anew: ``bound``."""
        self.count -= other.count
        self.total -= other.total
        for bucket, count in other.buckets.items():
            left = self.buckets[bucket] - count
            if left:
                self.buckets[bucket] = left
            else:
                del self.buckets[bucket]
        self.exposed = [one - another for one, another in zip(self.exposed, other.exposed, strict=True)]
        if not self.count:
            self.smallest = self.largest = 0

    def bound(self, parts: Iterable[Histogram]) -> None:
        """Set the smallest and the largest from the histograms that this one is the sum of."""
        extremes = [(part.smallest, part.largest) for part in parts if part.count]
        self.smallest = min((smallest for smallest, _ in extremes), default=0)
        self.largest = max((largest for _, largest in extremes), default=0)

    def percentiles(self, *fractions: float) -> list[float | None]:
        """Return the nearest-rank percentiles in seconds, for fractions in rising order; None of nothing."""
        if not self.count:
            return [None] * len(fractions)
        found: list[float | None] = []
        seen = 0
        ordered = iter(sorted(self.buckets.items()))
        bucket = -1
        for fraction in fractions:
            rank = max(1, ceil(fraction * self.count))
            while seen < rank:
                bucket, count = next(ordered)
                seen += count
            middle = _GROWTH**bucket * _MIDDLE if bucket >= 0 else 0.0
            value = min(max(middle, self.smallest), self.largest)
            found.append(round(value / 1e6, 9 if value > 10 else 12))  # of few microseconds a nanosecond is too much
        return found

    def durations(self) -> Durations:
        """Return the durations as they are shown."""
        if not self.count:
            return Durations()
        p50, p95 = self.percentiles(0.50, 0.95)
        mean = round(self.total / self.count / 1e6, 6)
        return Durations(total_s=seconds(self.total), mean_s=mean, p50_s=p50, p95_s=p95, max_s=seconds(self.largest))
