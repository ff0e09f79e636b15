"""What each call cost: the provider's word, else a recorded price, else the price function.

No I/O, no formatting. Definitions: metrics.md, "Tokens and prices".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runwatch.events.calls import LlmPriced
from runwatch.fold.call import Call
from runwatch.fold.facts import Facts
from runwatch.fold.money import MOST_PICO, PriceFunction, pico_of, usd_of
from runwatch.fold.usage import Raw, has_split, normalized


class Costs:
    """Gives calls their cost. A call with tokens, and one that succeeded, should have one; else it is unpriced."""

    __slots__ = ("_facts", "_price")

    def __init__(self, facts: Facts, price: PriceFunction | None) -> None:
        self._facts = facts
        self._price = price

    def set(self, call: Call, said_usd: float | None) -> None:
        """Price a call whose tokens are known now; ``said_usd`` is the provider's word."""
        call.prices = None
        call.is_recorded = False
        call.pico = None if said_usd is None else pico_of(said_usd)
        if call.pico is not None:
            call.is_priced = True
            return
        call.is_priced = call.raw is not None or call.result == "success"
        if self._price is None or not has_split(call.raw):
            return
        model, facts = call.cell.model, self._facts
        prompt, completion, read, write, _, _ = call.counts
        call.pico, call.prices = self._price(
            model.provider or facts.provider, model.name or facts.model, prompt, completion, read, write, call.ts
        )
        if call.pico is not None and not 0 <= call.pico <= MOST_PICO:
            call.pico = call.prices = None  # no price list means that
        if call.prices is not None:
            model.prices = call.prices

    def take_over(self, call: Call, raw: Raw | None, pico: int | None) -> None:
        """Give a call what another source knows of its usage, and the cost that a provider told that source."""
        has_changed = normalized(raw) != call.counts
        if has_changed:
            call.raw, call.counts = raw, normalized(raw)
        if pico is not None:
            call.pico, call.prices, call.is_priced, call.is_recorded = pico, None, True, False
        elif has_changed and not call.is_said:
            self.set(call, None)

    def record(self, call: Call, event: LlmPriced) -> None:
        """Give a call the price that was recorded for it."""
        names = event.prices
        call.is_priced = call.is_recorded = True
        call.pico = pico_of(event.cost_usd)
        call.prices = None
        if call.pico is not None:
            call.prices = " ".join(names[key] for key in ("library", "version", "date") if key in names) or "unnamed"
            call.cell.model.prices = call.prices

    def unrecorded(self, calls: Iterable[Call]) -> Iterator[LlmPriced]:
        """Yield the prices of the price function that no line holds yet."""
        if self._price is None:
            return
        for call in calls:
            ref = call.ref
            if ref is None or not call.is_priced or call.is_recorded or call.is_said:
                continue
            names = dict(zip(("library", "version", "date"), (call.prices or "").split(), strict=False))
            yield LlmPriced(ref=ref, cost_usd=None if call.pico is None else usd_of(call.pico), prices=names)
