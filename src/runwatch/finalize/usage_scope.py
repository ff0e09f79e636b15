"""Which of the recorded calls a usage export speaks for: a provider's export never holds another provider's models.

No I/O, no comparison. Where it cannot be told whose an export is, or whose a call, the call is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from runwatch.events.words import named
from runwatch.fold.by_day import DayUsage
from runwatch.fold.contest import family
from runwatch.pricing import biller
from runwatch.sources.usage_export import UsageRow


class Outside(msgspec.Struct, kw_only=True):
    """What was recorded of one provider that the export does not speak for."""

    provider: str
    models: int
    """How many."""
    tokens: int
    cost_usd: float | None = None
    """Of the priced calls; None without any."""


class Scope:
    """The providers that an export names: in a column, else by its models."""

    def __init__(self, rows: Sequence[UsageRow], recorded: Sequence[DayUsage]) -> None:
        """``rows``: all of the export, those of other days too."""
        self._is_told = bool(rows) and all(named(row.provider) for row in rows)
        """Whether the export has a column for it."""
        self.providers: set[str] = set()
        """Empty where none can be told: then it speaks for all."""
        for provider, model in {(named(row.provider), row.model) for row in rows}:
            self.providers |= _names(provider) if self._is_told else _names(None, model)
        self._families = {family(row.model) for row in rows if row.model}
        self._owned = {family(row.model) for row in recorded if row.model and self._is_theirs(row)}
        """Families of models that were recorded of just these providers."""

    def holds(self, row: DayUsage) -> bool:
        """Return whether the export should hold what was recorded."""
        if not self.providers or self._is_theirs(row):
            return True
        # A gateway's name may stand before the model that the provider bills.
        return not self._is_told and family(row.model) in self._families - self._owned

    def _is_theirs(self, row: DayUsage) -> bool:
        whose = _names(row.provider, row.model)
        return not whose or not whose.isdisjoint(self.providers)


def _names(provider: str | None, model: str | None = None) -> set[str]:
    """Return whose something is, as the price list calls them, and as it was said where the list does not know it."""
    said = named(provider)
    names = {biller(said, model), said.strip().lower() if said and biller(said, None) is None else None}
    return {name for name in names if name}


def outside(rows: Iterable[DayUsage]) -> list[Outside]:
    """Return what the export does not speak for, by provider."""
    found: dict[str, list[DayUsage]] = {}
    for row in rows:
        found.setdefault(biller(named(row.provider), row.model) or row.provider or "unknown", []).append(row)
    return [
        Outside(
            provider=provider,
            models=len({family(row.model) for row in theirs}),
            tokens=sum(row.prompt + row.completion for row in theirs),
            cost_usd=_cost(theirs),
        )
        for provider, theirs in sorted(found.items())
    ]


def _cost(rows: Iterable[DayUsage]) -> float | None:
    costs = [Decimal(repr(row.cost_usd)) for row in rows if row.cost_usd is not None]
    return float(sum(costs)) if costs else None
