"""metrics.json: the whole fold as a JSON value, at most 256 KiB however long the run.

Must not compute a metric. Source: metrics.md, "JSON files"; record.md, "The run directory".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from runwatch.fold.metrics import InstrumentMetrics, Metrics
from runwatch.fold.series_sum import bounded
from runwatch.units import cut_middle

MOST_BYTES = 256 * 1024

_LEAST_BYTES = 150
"""No attempt takes less."""
_WHOLE = frozenset({"series", "tokens", "durations", "journal", "edges", "buckets"})
"""Parts whose size is bounded by their shape: never cut."""
_STAGES = ((2000, 500), (1000, 250), (500, 120), (300, 60), (200, 30), (200, 14), (100, 6))
"""Longest text in characters and longest list, tried in this order until the file is small enough."""

_MOST_SERIES = (1001, 300, 100, 30, 10, 3, 1)
"""Series of an instrument, tried in this order until all instruments take half of the file at most."""


def render(metrics: Metrics) -> dict[str, Any]:
    """Return the value of metrics.json under the names of ``fold.metrics``, its ``run`` section first.

    As journal.atomic.write_json indents it, it takes at most MOST_BYTES. Of a list or mapping that had to be cut the
    first and last entries stay, of models, agents, tools, services and costs the largest, and ``<name>_count`` beside
    it says how many there were. Instruments stay whole as long as they take no more than half of it; then what is left
    out of their series goes on in the one whose labels are ``other``.
    """
    if len(metrics.attempts) * _LEAST_BYTES <= MOST_BYTES:  # else it is too long, and need not be unpacked to know it
        metrics = msgspec.structs.replace(metrics, attempts=list(metrics.attempts))
        if len(msgspec.json.encode(metrics)) > MOST_BYTES:  # indenting it only makes it longer
            return _cut_until_it_fits(metrics)
        whole: dict[str, Any] = msgspec.to_builtins(metrics, str_keys=True)
        if _fits(whole):
            return whole
    return _cut_until_it_fits(metrics)


def _cut_until_it_fits(metrics: Metrics) -> dict[str, Any]:
    # A live run is flushed every second: the long lists are cut before their entries become mappings.
    lists = {name: held for name in metrics.__struct_fields__ if isinstance(held := getattr(metrics, name), Sequence)}
    kept = _kept_instruments(metrics.instruments)
    shorter: dict[str, Any] = {}
    for chars, entries in _STAGES:
        cut = {name: _chosen(name, held, entries) for name, held in lists.items()}
        value = msgspec.to_builtins(msgspec.structs.replace(metrics, **cut), str_keys=True)
        shorter = _cut_mapping(value, chars, entries)
        shorter |= {f"{name}_count": len(held) for name, held in lists.items() if len(held) > entries}
        fuller = {name: held for name, held in shorter.items() if name != "instruments_count" or not kept} | kept
        if _fits(fuller):
            return fuller
    return _without_the_largest(shorter)


def _kept_instruments(instruments: Sequence[InstrumentMetrics]) -> dict[str, Any]:
    """Return the instruments with as many series as half of the file holds; nothing where it does not hold one of each.

    Whoever adds up counters over runs reads them here: one that is left out would fall.
    """
    for most in _MOST_SERIES:
        value = [_with_series(one, most) for one in instruments]
        if _fits({"instruments": value}, MOST_BYTES // 2):
            return {"instruments": value}
    return {}


def _with_series(instrument: InstrumentMetrics, most: int) -> dict[str, Any]:
    series = instrument.series
    if len(series) > most:
        instrument = msgspec.structs.replace(instrument, series=bounded(series, most, instrument.kind))
    value: dict[str, Any] = msgspec.to_builtins(instrument, str_keys=True)
    return value if instrument.series is series else value | {"series_count": len(series)}


def _without_the_largest(value: dict[str, Any]) -> dict[str, Any]:
    """Leave out section after section, but never the run's: whatever a program told, the file has its bound."""
    for name in sorted(value, key=lambda name: -len(msgspec.json.encode(value[name]))):
        if _fits(value):
            break
        if name != "run" and isinstance(value[name], list | dict):
            value = {**value, f"{name}_count": value.get(f"{name}_count", len(value[name]))}
            value[name] = type(value[name])()
    return value


def _fits(value: Any, most: int = MOST_BYTES) -> bool:
    encoded = msgspec.json.encode(value)  # indenting it only makes it longer
    return len(encoded) < most and len(msgspec.json.format(encoded, indent=2)) < most


def _cut_mapping(mapping: dict[str, Any], chars: int, entries: int) -> dict[str, Any]:
    cut: dict[str, Any] = {}
    for key, value in mapping.items():
        if key in _WHOLE and not isinstance(value, str) and key not in cut:
            cut[key] = value
            continue
        short = cut_middle(key, chars)
        if key.startswith("cost_by_") and isinstance(value, dict):
            kept = _largest(list(value.items()), entries, lambda pair: pair[1])
            cut[short] = {cut_middle(name, chars): cost for name, cost in kept}
        else:
            cut[short] = _cut(value, chars, entries)
        if isinstance(value, list | dict) and len(value) > len(cut[short]):
            cut[f"{short}_count"] = len(value)
    return cut


def _cut(value: Any, chars: int, entries: int) -> Any:
    if isinstance(value, str):
        return cut_middle(value, chars)
    if isinstance(value, list):
        return [_cut(item, chars, entries) for item in _ends(value, entries)]
    return _cut_mapping(value, chars, entries) if isinstance(value, dict) else value


def _ends(items: Sequence[Any], most: int) -> Sequence[Any]:
    if len(items) <= most:
        return items
    return [*items[: most - most // 2], *items[len(items) - most // 2 :]]


def _chosen(name: str, items: Sequence[Any], most: int) -> Sequence[Any]:
    weight = _WEIGHTS.get(name)
    return _ends(items, most) if weight is None else _largest(items, most, weight)


def _largest(items: Sequence[Any], most: int, weight: Callable[[Any], Any]) -> Sequence[Any]:
    """Return the largest in the order in which they stand."""
    if len(items) <= most:
        return items
    places = sorted(range(len(items)), key=lambda at: weight(items[at]), reverse=True)[:most]
    return [items[at] for at in sorted(places)]


_WEIGHTS: dict[str, Callable[[Any], Any]] = {
    "models": lambda model: (model.cost_usd or 0.0, model.tokens.total, model.calls),
    "agents": lambda agent: (agent.cost_usd or 0.0, agent.attempts, agent.tokens.total),
    "tools": lambda tool: tool.calls,
    "services": lambda service: service.calls,
}
"""Lists of which the largest entries are kept, and what is large."""
