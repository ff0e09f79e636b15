"""Series of an instrument added up: those of two runs, or all that come after the most.

No I/O, no formatting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runwatch.fold.metrics import InstrumentSeries

OTHER = "other"
"""Value of every label in the series that takes what comes after the most."""


def labels_of_others(labels: Iterable[str]) -> dict[str, str]:
    """Return the labels of the series for the rest."""
    return dict.fromkeys(labels, OTHER)


def summed(one: InstrumentSeries, other: InstrumentSeries) -> InstrumentSeries:
    """Return a series of the labels of ``one`` with the counts of both."""
    if one.count is None or other.count is None:
        return InstrumentSeries(labels=one.labels, value=(one.value or 0.0) + (other.value or 0.0))
    return InstrumentSeries(
        labels=one.labels,
        count=one.count + other.count,
        sum=(one.sum or 0.0) + (other.sum or 0.0),
        buckets=[a + b for a, b in zip(one.buckets, other.buckets, strict=True)],
    )


def bounded(series: Sequence[InstrumentSeries], most: int, kind: str) -> list[InstrumentSeries]:
    """Return the first ``most`` series, the last of them the sum of all others; of gauges, which do not add up, none.

    The first stay the first while a run goes on: none of them falls when another one comes.
    """
    if len(series) <= most or kind == "gauge":
        return list(series[:most])
    others = [one for one in series if one.labels and set(one.labels.values()) == {OTHER}]
    rest = [one for one in series if one not in others]
    total, *more = [*others, *rest[most - 1 :]]
    total = InstrumentSeries(
        labels=labels_of_others(dict.fromkeys(name for one in series for name in one.labels)),
        value=total.value, count=total.count, sum=total.sum, buckets=total.buckets,
    )  # fmt: skip
    for one in more:
        total = summed(total, one)
    return [*rest[: most - 1], total]
