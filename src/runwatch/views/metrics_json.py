"""metrics.json: the whole fold as a JSON value, at most 256 KiB however long the run.

Must not compute a metric. Source: metrics.md, "JSON files"; record.md, "The run directory".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runwatch.fold.metrics import Metrics
from runwatch.units import cut_middle

MOST_BYTES = 256 * 1024

_LEAST_BYTES = 150
"""No attempt takes less."""
_WHOLE = frozenset({"series", "llm_configuration", "tokens", "durations", "journal", "edges", "buckets"})
"""Parts whose size is bounded by their shape: never cut."""
_STAGES = ((2000, 500), (1000, 250), (500, 120), (300, 60), (200, 30), (200, 14), (100, 6))
"""Longest text in characters and longest list, tried in this order until the file is small enough."""


def render(metrics: Metrics) -> dict[str, Any]:
    """Return the value of metrics.json under the names of ``fold.metrics``, its ``run`` section first.

    As journal.atomic.write_json indents it, it takes at most MOST_BYTES. A list or mapping that had to be cut keeps
    its first and last entries, and ``<name>_count`` beside it says how many there were. Instruments stay whole as long
    as they take no more than half of it.
    """
    if len(metrics.attempts) * _LEAST_BYTES <= MOST_BYTES:  # else it is too long, and need not be unpacked to know it
        metrics = msgspec.structs.replace(metrics, attempts=list(metrics.attempts))
        if len(msgspec.json.encode(metrics)) > MOST_BYTES:  # indenting it only makes it longer
            return _cut_until_it_fits(metrics)
        whole: dict[str, Any] = msgspec.to_builtins(metrics, str_keys=True)
        if _size(whole) <= MOST_BYTES:
            return whole
    return _cut_until_it_fits(metrics)


def _cut_until_it_fits(metrics: Metrics) -> dict[str, Any]:
    # A live run is flushed every second: the long lists are cut before their entries become mappings.
    lists = {name: held for name in metrics.__struct_fields__ if isinstance(held := getattr(metrics, name), Sequence)}
    longest = _STAGES[0][1]
    value = msgspec.to_builtins(
        msgspec.structs.replace(metrics, **{name: _ends(held, longest) for name, held in lists.items()}), str_keys=True
    )
    # Whoever adds up counters over runs reads them here: one that was cut would fall.
    instruments = {"instruments": msgspec.to_builtins(metrics.instruments, str_keys=True)}
    kept = instruments if _size(instruments) <= MOST_BYTES // 2 else {}
    shorter: dict[str, Any] = value
    for chars, entries in _STAGES:
        shorter = _cut_mapping(value, chars, entries)
        shorter |= {f"{name}_count": len(held) for name, held in lists.items() if len(held) > entries}
        fuller = {name: held for name, held in shorter.items() if name.removesuffix("_count") not in kept} | kept
        if _size(fuller) <= MOST_BYTES:
            return fuller
    return shorter


def _size(value: dict[str, Any]) -> int:
    return len(msgspec.json.format(msgspec.json.encode(value), indent=2)) + 1


def _cut_mapping(mapping: dict[str, Any], chars: int, entries: int) -> dict[str, Any]:
    cut: dict[str, Any] = {}
    for key, value in mapping.items():
        if key in _WHOLE:
            cut[key] = value
            continue
        short = cut_middle(key, chars)
        if key.startswith("cost_by_") and isinstance(value, dict):
            kept = _ends(list(value.items()), entries)
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
