"""The instruments of model calls, from the sums of the ledger.

No I/O, no formatting. Source: python-api.md, "Instruments that keep their Prometheus names", ``llm_metrics``.
"""

from __future__ import annotations

from collections.abc import Iterable

from runwatch.events.instruments import PROMISED
from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries, ModelMetrics
from runwatch.fold.series_sum import OTHER, summed

_MOST_MODELS = 100
"""The first of them have series of their own; what comes after is told as one."""
NO_OTHERS = InstrumentMetrics(name="", kind="", help="")


class Measured:
    """One instrument of model calls."""

    def __init__(self, name: str, series: list[InstrumentSeries]) -> None:
        self.name = name
        self.series = series

    def with_others(self, others: InstrumentMetrics) -> InstrumentMetrics:
        """Return the instrument with what the program added itself under the same labels."""
        promised = PROMISED[self.name]
        merged = {tuple(sorted(series.labels.items())): series for series in self.series}
        for series in others.series:
            key = tuple(sorted(series.labels.items()))
            known = merged.get(key)
            merged[key] = series if known is None else summed(known, series)
        return InstrumentMetrics(
            name=self.name,
            kind=promised.kind,
            help=promised.help,
            edges=list(promised.edges),
            series=list(merged.values()),
        )


def measured(models: Iterable[tuple[ModelMetrics, list[int]]]) -> list[Measured]:
    """Return the instruments of these models; beside each model, its calls in the buckets of their durations."""
    requests: list[InstrumentSeries] = []
    durations: list[InstrumentSeries] = []
    tokens: list[InstrumentSeries] = []
    costs: list[InstrumentSeries] = []
    rate_limits: list[InstrumentSeries] = []
    for number, (model, buckets) in enumerate(models, 1):
        is_first = number <= _MOST_MODELS
        labels = {"model": model.model if is_first else OTHER, "provider": model.provider if is_first else OTHER}
        results = {
            "success": model.calls - model.failures,
            "rate_limit": model.rate_limits,
            "timeout": model.timeouts,
            "error": model.failures - model.rate_limits - model.timeouts,
        }
        requests += [_counter(count, **labels, result=result) for result, count in results.items() if count]
        if sum(buckets):
            durations.append(
                InstrumentSeries(labels=labels, count=sum(buckets), sum=model.durations.total_s, buckets=buckets)
            )
        # Neither the total nor the cached part is a kind of its own: a sum over kinds would count them twice.
        used = model.tokens
        unsplit = used.total - used.prompt - used.completion
        kinds = {"prompt": used.prompt, "completion": used.completion, "unsplit": unsplit}
        tokens += [_counter(count, **labels, kind=kind) for kind, count in kinds.items() if count]
        if model.cost_usd is not None:
            costs.append(_counter(model.cost_usd, **labels))
        if model.rate_limits:
            rate_limits.append(_counter(model.rate_limits, **labels))
    by_name = {
        "llm_requests_total": requests,
        "llm_request_duration_seconds": durations,
        "llm_tokens_total": tokens,
        "llm_cost_dollars_total": costs,
        "llm_rate_limit_events_total": rate_limits,
    }
    return [Measured(name, _by_labels(series)) for name, series in by_name.items()]


def _by_labels(series: list[InstrumentSeries]) -> list[InstrumentSeries]:
    found: dict[tuple[str, ...], InstrumentSeries] = {}
    for one in series:
        key = tuple(one.labels.values())
        found[key] = summed(found[key], one) if key in found else one
    return list(found.values())


def _counter(value: float, **labels: str) -> InstrumentSeries:
    return InstrumentSeries(labels=labels, value=float(value))
