"""Metrics of several runs for Prometheus: instruments under their own names, runs under ``runwatch_``.

Must not compute a metric beyond adding up counters and histograms of several runs, nor know HTTP. The text is
prometheus-client's own. **Source**: python-api.md, "Instruments that keep their Prometheus names".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries, Metrics
from runwatch.fold.series_sum import labels_of_others
from runwatch.views import prometheus_runs
from runwatch.views.prometheus_names import label_names, metric_names
from runwatch.views.prometheus_runs import unit_of

Encoder = Callable[[Any], bytes]
"""One of prometheus-client, the same object each time: from a registry to text."""
MOST_RUNS = 100
"""Runs that are exposed one by one: the live ones, then the newest."""

MOST_SERIES = 1000
"""Of one instrument over all runs: each run may have ids of its own in its labels."""


class Exposed(msgspec.Struct, frozen=True):
    """One run, as long as nothing of it changes."""

    metrics: Metrics
    """As folded."""
    live: bool
    """Whether it goes on."""
    written: dict[Encoder, list[bytes]] = {}
    """What an encoder made of it, family by family: filled when it is first shown."""


class Summed(msgspec.Struct, frozen=True):
    """Counters and histograms over all runs there have been, live ones included, as long as they stay the same."""

    instruments: list[InstrumentMetrics]
    """By name."""
    written: dict[Encoder, bytes] = {}
    """What an encoder made of them: filled when they are first shown."""


def added(instruments: Iterable[Sequence[InstrumentMetrics]]) -> list[InstrumentMetrics]:
    """Return the sums of counters and histograms over several runs, by name; gauges are left out.

    Histograms of one name with other edges, as another version may have had them, are left out too. What comes after
    MOST_SERIES of an instrument goes on in the one whose labels are ``other``.
    """
    totals: dict[str, InstrumentMetrics] = {}
    series: dict[tuple[str, tuple[tuple[str, str], ...]], InstrumentSeries] = {}
    for instrument in (one for several in instruments for one in several):
        if instrument.kind == "gauge":
            continue
        total = totals.setdefault(instrument.name, msgspec.structs.replace(instrument, series=[]))
        if total.kind != instrument.kind or total.edges != instrument.edges:
            continue
        for one in instrument.series:
            # To Prometheus a label without a value is none.
            key = (instrument.name, tuple(sorted((label, value) for label, value in one.labels.items() if value)))
            known = series.get(key)
            if known is None and len(total.series) >= MOST_SERIES and one.labels:
                one = msgspec.structs.replace(one, labels=labels_of_others(one.labels))
                key = (instrument.name, tuple(sorted(one.labels.items())))
                known = series.get(key)
            if known is None:
                series[key] = known = msgspec.structs.replace(one, buckets=one.buckets[:])
                total.series.append(known)
            elif known.count is None:
                known.value = (known.value or 0.0) + (one.value or 0.0)
            else:
                known.count += one.count or 0
                known.sum = (known.sum or 0.0) + (one.sum or 0.0)
                known.buckets = [a + b for a, b in zip(known.buckets, one.buckets, strict=True)]
    return [totals[name] for name in sorted(totals)]


class Collector:
    """Yields the families of one scrape, for a registry of prometheus-client; or writes them itself, which is faster.

    Text takes most of the time of a scrape, and most runs have ended: the lines of each are kept while it is the same.
    """

    def __init__(self, runs: Sequence[Exposed], totals: Summed) -> None:
        self._runs = runs[:MOST_RUNS]
        self._totals = totals

    def collect(self) -> Iterator[Any]:
        """Yield every family once."""
        yield from _instruments(self._totals.instruments)
        yield from self._gauges()
        yield from prometheus_runs.families([(run.metrics, run.live) for run in self._runs])

    def text(self, encode: Encoder) -> bytes:
        """Return what ``encode`` makes of these families."""
        runs = [_lines(run, encode) for run in self._runs]
        totals = self._totals.written
        if encode not in totals:
            totals[encode] = _encoded(encode, *_instruments(self._totals.instruments))
        parts = [totals[encode], _encoded(encode, *self._gauges())]
        for head, *lines in zip(_heads(encode), *runs, strict=True):
            parts.append(head)
            parts += lines
        return b"".join(parts) + _end(encode)

    def _gauges(self) -> Iterator[Any]:
        found = [one for run in self._runs if run.live for one in run.metrics.instruments if one.kind == "gauge"]
        return _gauges(found, self._totals.instruments) if found else iter(())


class _Given:
    """What an encoder asks of a registry."""

    def __init__(self, families: Sequence[Any]) -> None:
        self._families = families

    def collect(self) -> Sequence[Any]:
        return self._families


def _lines(run: Exposed, encode: Encoder) -> list[bytes]:
    """Return the lines of a run, family by family."""
    if encode not in run.written:
        families = prometheus_runs.families([(run.metrics, run.live)])
        run.written[encode] = [
            _encoded(encode, family).removeprefix(head) for head, family in zip(_heads(encode), families, strict=True)
        ]
    return run.written[encode]


@cache
def _heads(encode: Encoder) -> list[bytes]:
    """Return what stands in front of the lines of all runs, family by family."""
    return [_encoded(encode, family) for family in prometheus_runs.families(())]


@cache
def _end(encode: Encoder) -> bytes:
    """Return how a text ends."""
    return encode(_Given(()))


def _encoded(encode: Encoder, *families: Any) -> bytes:
    """Return the text of some families, without the end."""
    return encode(_Given(families)).removesuffix(_end(encode))


def _taken() -> set[str]:
    """Return the names that the runs themselves are exposed by."""
    return set(_run_names())


@cache
def _run_names() -> frozenset[str]:
    return frozenset(family.name for family in prometheus_runs.families(()))


def _instruments(totals: Sequence[InstrumentMetrics]) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    names = metric_names(_kinds(totals), _taken())
    for instrument in totals:
        name = names[instrument.name]
        labels = label_names(label for series in instrument.series for label in series.labels)
        text, shown = instrument.help or instrument.name, list(labels.values())
        if instrument.kind == "histogram":
            family: Any = HistogramMetricFamily(name, text, labels=shown, unit=unit_of(name))
            for series in instrument.series:
                family.add_metric(_values(series, labels), _cumulative(instrument.edges, series), series.sum)
        else:
            family = CounterMetricFamily(name, text, labels=shown, unit=unit_of(name))
            for series in instrument.series:
                family.add_metric(_values(series, labels), series.value)
        yield family


def _gauges(gauges: Sequence[InstrumentMetrics], totals: Sequence[InstrumentMetrics]) -> Iterator[Any]:
    """Gauges of live runs add up: two orchestrators with one merge under way each are two.

    ``totals`` have their names first.
    """
    from prometheus_client.core import GaugeMetricFamily

    taken = _taken()
    metric_names(_kinds(totals), taken)
    by_name: dict[str, list[InstrumentMetrics]] = {}
    for gauge in gauges:
        by_name.setdefault(gauge.name, []).append(gauge)
    names = metric_names(((name, "gauge") for name in by_name), taken)
    for name, shown in sorted(names.items(), key=lambda pair: pair[1]):
        several = by_name[name]
        labels = label_names(label for gauge in several for series in gauge.series for label in series.labels)
        text = several[0].help or name
        family = GaugeMetricFamily(shown, text, labels=list(labels.values()), unit=unit_of(shown))
        values: dict[tuple[str, ...], float] = {}
        for series in (series for gauge in several for series in gauge.series):
            key = tuple(_values(series, labels))
            values[key] = values.get(key, 0.0) + (series.value or 0.0)
        for key, value in values.items():
            family.add_metric(list(key), value)
        yield family


def _kinds(instruments: Iterable[InstrumentMetrics]) -> Iterator[tuple[str, str]]:
    return ((one.name, one.kind) for one in instruments)


def _cumulative(edges: Sequence[float], series: InstrumentSeries) -> list[tuple[str, float]]:
    from prometheus_client.utils import floatToGoString

    seen, buckets = 0, []
    for edge, number in zip([*edges, float("inf")], series.buckets, strict=True):
        seen += number
        text: str = floatToGoString(edge)  # type: ignore[no-untyped-call]  # the library has no types there
        buckets.append((text, float(seen)))
    return buckets


def _values(series: InstrumentSeries, names: Mapping[str, str]) -> list[str]:
    return [series.labels.get(label, "") for label in names]
