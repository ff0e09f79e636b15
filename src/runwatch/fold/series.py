"""Trends over the run: sums and samples in a bounded number of buckets of equal width.

No I/O, no formatting.
"""

from __future__ import annotations

from runwatch.fold.clock import micros_of
from runwatch.fold.metrics import Series
from runwatch.fold.money import usd_of

BUCKETS = 120
"""At most so many; when they are full, two become one."""

_FIRST_WIDTH_US = 1_000_000
_TOKENS, _PICO, _CPU_SUM, _CPU_COUNT, _RSS = range(5)
_Bucket = list[float]


class Share:
    """What some of the calls used and cost, by the number of the bucket."""

    __slots__ = ("rows", "width")

    def __init__(self) -> None:
        self.rows: dict[int, list[int]] = {}
        self.width = _FIRST_WIDTH_US

    def add(self, index: int, width: int, tokens: int, pico: int) -> None:
        """Add what a call used to a bucket of buckets that are ``width`` microseconds wide."""
        if width != self.width:
            self.widen(width)
        row = self.rows.get(index)
        if row is None:
            self.rows[index] = [tokens, pico]
        else:
            row[0] += tokens
            row[1] += pico

    def widen(self, width: int) -> None:
        """Make the buckets as wide as those of the trends are by now."""
        rows, factor = self.rows, width // self.width
        self.rows, self.width = {}, width
        for index, (tokens, pico) in rows.items():
            self.add(index // factor, width, tokens, pico)


class Trends:
    """Buckets from the first observation on; what is older falls into the first."""

    __slots__ = ("_at_hand", "_buckets", "_index", "_origin", "_second", "_width")

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []
        self._origin: int | None = None
        self._width = _FIRST_WIDTH_US
        self._second: str | None = None
        self._at_hand: _Bucket = []
        """The bucket of that second: whole seconds are finer than any bucket."""
        self._index = 0
        """Its number."""

    def begin(self, ts: str | None) -> None:
        """Set where the first bucket begins."""
        if self._origin is None:
            self._origin = micros_of(ts)

    def use(self, ts: str | None, tokens: int, pico: int, share: Share, *, counts: bool) -> None:
        """Add what a model call used and cost to a share, and to the trends where that counts."""
        bucket = self._at_hand if ts is not None and ts[:19] == self._second else self._at(ts)
        if counts:
            bucket[_TOKENS] += tokens
            bucket[_PICO] += pico
        share.add(self._index, self._width, tokens, pico)

    def shift(self, share: Share, sign: int) -> None:
        """Put a share into the trends (1), or take it out (-1)."""
        share.widen(self._width)
        for index, (tokens, pico) in share.rows.items():
            self._buckets[index][_TOKENS] += sign * tokens
            self._buckets[index][_PICO] += sign * pico

    def sample(self, ts: str | None, cpu_percent: float, rss_bytes: int) -> None:
        """Add a sample of the process tree."""
        bucket = self._at(ts)
        bucket[_CPU_SUM] += cpu_percent
        bucket[_CPU_COUNT] += 1
        bucket[_RSS] = max(bucket[_RSS], rss_bytes)

    def series(self) -> Series:
        """Return the trends as they are shown."""
        rows = self._buckets
        return Series(
            bucket_s=self._width / 1e6,
            tokens=[int(row[_TOKENS]) for row in rows],
            cost_usd=[usd_of(int(row[_PICO])) for row in rows],
            cpu_percent=[round(row[_CPU_SUM] / row[_CPU_COUNT], 2) if row[_CPU_COUNT] else 0.0 for row in rows],
            rss_bytes=[int(row[_RSS]) for row in rows],
        )

    def _at(self, ts: str | None) -> _Bucket:
        second = "" if ts is None else ts[:19]
        if second != self._second:
            self._at_hand = self._find(micros_of(second + "Z") or self._origin or 0)
            self._second = second
        return self._at_hand

    def _find(self, moment: int) -> _Bucket:
        if self._origin is None:
            self._origin = moment
        index = max(0, moment - self._origin) // self._width
        while index >= BUCKETS:
            self._widen()
            index //= 2
        while len(self._buckets) <= index:
            self._buckets.append([0, 0, 0.0, 0, 0])
        self._index = index
        return self._buckets[index]

    def _widen(self) -> None:
        self._width *= 2
        rows = self._buckets
        if len(rows) % 2:
            rows.append([0, 0, 0.0, 0, 0])
        for left, right in zip(rows[::2], rows[1::2], strict=True):
            for column in range(_RSS):
                left[column] += right[column]
            left[_RSS] = max(left[_RSS], right[_RSS])
        self._buckets = rows[::2]
