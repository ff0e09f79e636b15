"""What model calls used and cost, by day, provider and model, from the calls that a fold remembers.

No I/O, no formatting. The same calls count as in the totals: repeats once, of several sources the one that saw most.
"""

from __future__ import annotations

import msgspec

from runwatch.fold.fold import Fold
from runwatch.fold.money import usd_of

ALL_CALLS = 10_000_000
"""How many calls a fold must remember so that none is missing here."""


class DayUsage(msgspec.Struct, kw_only=True):
    """One model of one provider on one day."""

    day: str | None
    """YYYY-MM-DD, UTC; None where no line had a time."""
    model: str | None
    """As it was recorded, else the run's."""
    provider: str | None = None
    """As it was recorded, else the run's."""
    calls: int = 0
    """Calls that told of tokens or cost."""
    prompt: int = 0
    """All input, cached included."""
    completion: int = 0
    """All output."""
    cache_read: int = 0
    """Of the input: read from the cache."""
    cache_write: int = 0
    """Of the input: written to the cache."""
    cost_usd: float | None = None
    """Of the priced calls; None without any."""


def usage_by_day(fold: Fold) -> list[DayUsage]:
    """Return each day, model and provider, sorted. The fold must remember ALL_CALLS."""
    parts = fold._parts
    days: dict[tuple[str, str, str], DayUsage] = {}
    pico: dict[tuple[str, str, str], int] = {}
    for call in parts.models._calls.all():
        winner = call.cell.contest.winner()
        if (winner is not None and call.cell.source != winner) or (call.raw is None and call.pico is None):
            continue
        model = call.cell.model.name or parts.facts.model
        day = call.ts[:10] if call.ts else None
        provider = call.cell.model.provider or parts.facts.provider
        key = (day or "", model or "", provider or "")
        row = days.setdefault(key, DayUsage(day=day, model=model, provider=provider))
        prompt, completion, read, write, _, total = call.counts
        row.calls += 1
        row.prompt += prompt
        row.completion += completion if prompt or completion else total
        row.cache_read += read
        row.cache_write += write
        if call.pico is not None:
            pico[key] = pico.get(key, 0) + call.pico
            row.cost_usd = usd_of(pico[key])
    return [days[key] for key in sorted(days)]
