"""Metrics of several runs for Prometheus: instruments under their own names, runs under ``runwatch_``.

Must not compute a metric beyond adding up counters and histograms of several runs, nor know HTTP. The text is
prometheus-client's own. **Source**: python-api.md, "Instruments that keep their Prometheus names".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries, Metrics
from runwatch.views import prometheus_runs

MOST_RUNS = 100
"""Runs that are exposed one by one: the live ones, then the newest."""
_METRIC_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_LABEL_NAME = re.compile(r"[^a-zA-Z0-9_]")
_RESERVED = {"le", "quantile"}


class Exposed(msgspec.Struct, frozen=True):
    """One run."""

    metrics: Metrics
    """As folded."""
    live: bool
    """Whether it goes on."""


def added(instruments: Iterable[Sequence[InstrumentMetrics]]) -> list[InstrumentMetrics]:
    """Return the sums of counters and histograms over several runs, by name; gauges are left out.

    Histograms of one name with other edges, as another version may have had them, are left out too.
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
    """Yields the families of one scrape, for a registry of prometheus-client."""

    def __init__(self, runs: Sequence[Exposed], totals: Sequence[InstrumentMetrics]) -> None:
        """``totals`` are the counters and histograms over all runs there have been, live ones included."""
        self._runs = runs
        self._totals = totals

    def collect(self) -> Iterator[Any]:
        """Yield every family once, by name."""
        gauges = [one for run in self._runs if run.live for one in run.metrics.instruments if one.kind == "gauge"]
        yield from _instruments(self._totals)
        yield from _gauges(gauges)
        yield from prometheus_runs.families([(run.metrics, run.live) for run in self._runs[:MOST_RUNS]])


def _instruments(totals: Sequence[InstrumentMetrics]) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    for instrument in totals:
        name = metric_name(instrument.name)
        names = _label_names(instrument)
        text = instrument.help or instrument.name
        if instrument.kind == "histogram":
            family: Any = HistogramMetricFamily(name, text, labels=names)
            for series in instrument.series:
                family.add_metric(_values(series, names), _cumulative(instrument.edges, series), series.sum)
        else:
            family = CounterMetricFamily(name, text, labels=names)
            for series in instrument.series:
                family.add_metric(_values(series, names), series.value)
        yield family


def _gauges(gauges: Sequence[InstrumentMetrics]) -> Iterator[Any]:
    """Gauges of live runs add up: two orchestrators with one merge under way each are two."""
    from prometheus_client.core import GaugeMetricFamily

    by_name: dict[str, list[InstrumentMetrics]] = {}
    for gauge in gauges:
        by_name.setdefault(metric_name(gauge.name), []).append(gauge)
    for name, several in sorted(by_name.items()):
        names = sorted({label for gauge in several for label in _label_names(gauge)})
        family = GaugeMetricFamily(name, several[0].help or several[0].name, labels=names)
        values: dict[tuple[str, ...], float] = {}
        for series in (series for gauge in several for series in gauge.series):
            key = tuple(_values(series, names))
            values[key] = values.get(key, 0.0) + (series.value or 0.0)
        for key, value in values.items():
            family.add_metric(list(key), value)
        yield family


def _cumulative(edges: Sequence[float], series: InstrumentSeries) -> list[tuple[str, float]]:
    from prometheus_client.utils import floatToGoString

    seen, buckets = 0, []
    for edge, number in zip([*edges, float("inf")], series.buckets, strict=True):
        seen += number
        text: str = floatToGoString(edge)  # type: ignore[no-untyped-call]  # the library has no types there
        buckets.append((text, float(seen)))
    return buckets


def metric_name(name: str) -> str:
    """Return a name that Prometheus takes."""
    clean = _METRIC_NAME.sub("_", name)[:200] or "_"
    return f"_{clean}" if clean[0].isdigit() else clean


def _label_names(instrument: InstrumentMetrics) -> list[str]:
    return sorted({_label_name(label) for series in instrument.series for label in series.labels})


def _label_name(name: str) -> str:
    clean = _LABEL_NAME.sub("_", name)[:100] or "_"
    clean = f"_{clean}" if clean[0].isdigit() else clean
    return f"label_{clean.lstrip('_')}" if clean.startswith("__") or clean in _RESERVED else clean


def _values(series: InstrumentSeries, names: Sequence[str]) -> list[str]:
    given: Mapping[str, str] = {_label_name(name): value for name, value in series.labels.items()}
    return [given.get(name, "") for name in names]
