"""The instruments of model calls, from the sums of the ledger.

No I/O, no formatting. Source: python-api.md, "Instruments that keep their Prometheus names", ``llm_metrics``.
"""

from __future__ import annotations

from collections.abc import Iterable

from runwatch.events.instruments import PROMISED
from runwatch.fold.metrics import InstrumentMetrics, InstrumentSeries, ModelMetrics

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
            merged[key] = series if known is None else _sum(known, series)
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
    for model, buckets in models:
        labels = {"model": model.model, "provider": model.provider}
        results = {
            "success": model.calls - model.failures,
            "rate_limit": model.rate_limits,
            "timeout": model.timeouts,
            "error": model.failures - model.rate_limits - model.timeouts,
        }
        requests += [_counter(number, **labels, result=result) for result, number in results.items() if number]
        if sum(buckets):
            durations.append(
                InstrumentSeries(labels=labels, count=sum(buckets), sum=model.durations.total_s, buckets=buckets)
            )
        # Neither the total nor the cached part is a kind of its own: a sum over kinds would count them twice.
        used = model.tokens
        unsplit = used.total - used.prompt - used.completion
        kinds = {"prompt": used.prompt, "completion": used.completion, "unsplit": unsplit}
        tokens += [_counter(number, **labels, kind=kind) for kind, number in kinds.items() if number]
        if model.cost_usd is not None:
            costs.append(_counter(model.cost_usd, **labels))
        if model.rate_limits:
            rate_limits.append(_counter(model.rate_limits, **labels))
    return [
        Measured("llm_requests_total", requests),
        Measured("llm_request_duration_seconds", durations),
        Measured("llm_tokens_total", tokens),
        Measured("llm_cost_dollars_total", costs),
        Measured("llm_rate_limit_events_total", rate_limits),
    ]


def _counter(value: float, **labels: str) -> InstrumentSeries:
    return InstrumentSeries(labels=labels, value=float(value))


def _sum(one: InstrumentSeries, other: InstrumentSeries) -> InstrumentSeries:
    if one.count is None or other.count is None:
        return InstrumentSeries(labels=one.labels, value=(one.value or 0.0) + (other.value or 0.0))
    return InstrumentSeries(
        labels=one.labels,
        count=one.count + other.count,
        sum=(one.sum or 0.0) + (other.sum or 0.0),
        buckets=[a + b for a, b in zip(one.buckets, other.buckets, strict=True)],
    )
