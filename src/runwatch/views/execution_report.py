"""The console report of one task: its model calls and its external services.

Must not compute more than a mean. Source: python-api.md, ``MetricsReporter``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runwatch.units import count, latency
from runwatch.views.layout import one_line, table

_CALLS = "_calls"
_DURATION = "_duration_seconds"


def render(figures: Mapping[str, Any]) -> str:
    """Return the report of the figures of ``ExecutionMetrics.to_dict()``, without a line feed at its end."""
    calls, total_s = figures["llm_calls"], figures["llm_total_duration_seconds"]
    lines = ["LLM", f"  Calls:             {count(calls)}", f"  Total duration:    {latency(total_s)}"]
    if calls:
        lines.append(f"  Average duration:  {latency(total_s / calls)}")
    for label, name in (("Total tokens", "total"), ("Prompt tokens", "prompt"), ("Completion tokens", "completion")):
        lines.append(f"  {label + ':':<18} {count(figures[f'llm_{name}_tokens'])}")
    services = [
        (name.removesuffix(_CALLS), number, figures[f"{name.removesuffix(_CALLS)}{_DURATION}"])
        for name, number in figures.items()
        if name.endswith(_CALLS) and name != "llm_calls"
    ]
    rows = table(("service", "calls", "total", "mean"), services, _service, most=len(services), what="services")
    return "\n".join([*lines, "", "External services", *(f"  {row}" for row in rows)])


def _service(service: tuple[str, int, float]) -> list[str]:
    name, calls, total_s = service
    return [one_line(name), count(calls), latency(total_s), latency(total_s / calls) if calls else "-"]
