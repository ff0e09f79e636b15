"""Running totals of tokens and cost turned into what each call added: what grew since the same total was told before.

No I/O, no formatting. Definitions: metrics.md, "Tokens and prices".
"""

from __future__ import annotations

from runwatch.events.calls import LlmCompleted
from runwatch.fold.identity import place_of
from runwatch.fold.money import pico_of, usd_of
from runwatch.fold.usage import NO_USAGE, Raw, raw_usage

_MOST = 20_000
"""Totals that are remembered; of more, the one that grew longest ago starts anew."""

_Told = tuple[int | None, int | None, int | None, int | None, int | None, int | None, int | None]
"""The numbers of a line, and its cost in pico-USD."""
_Key = tuple[str, str | None, str | None]


class Counters:
    """The last that was told of each running total, by its name, issue and agent."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[_Key, _Told] = {}

    def growth(self, name: str, event: LlmCompleted) -> tuple[Raw | None, float | None] | None:
        """Return tokens and USD that the totals gained; None where they were told before and have not grown.

        A total that fell in any number was started anew (another session): all of it counts.
        """
        told = (*(raw_usage(event) or NO_USAGE), pico_of(event.cost_usd))
        _, issue, agent = place_of(event)
        key = name, issue, agent
        former = self._last.pop(key, None)
        self._last[key] = told
        if len(self._last) > _MOST:
            del self._last[next(iter(self._last))]
        if former is None or any((new or 0) < (old or 0) for old, new in zip(former, told, strict=True)):
            grown = told
        else:
            pairs = zip(former, told, strict=True)
            grown = tuple(None if new is None else new - (old or 0) for old, new in pairs)  # type: ignore[assignment]  # seven of seven
            if not any(grown):
                return None
        raw, cost = grown[:6], grown[6]
        return None if raw == NO_USAGE else raw, None if cost is None else usd_of(cost)
