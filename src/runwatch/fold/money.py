"""Money as integers of 10⁻¹² USD (pico-USD): exact sums in any order.

No I/O, no formatting.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from runwatch.pricing import PICO_PER_USD, Price, PriceFunction

__all__ = ["MOST_PICO", "Price", "PriceFunction", "pico_of", "usd_of"]

MOST_PICO = 9 * 10**18
"""Nine million dollars for one call; more would not fit where calls are remembered."""
_MOST_USD = MOST_PICO / PICO_PER_USD


def pico_of(usd: float | None) -> int | None:
    """Return pico-USD of the decimal that was written in the journal, or None for what cannot be a cost."""
    if usd is None or not 0 <= usd <= _MOST_USD:
        return None
    return int((Decimal(repr(usd)) * PICO_PER_USD).to_integral_value(ROUND_HALF_EVEN))


def usd_of(pico: int) -> float:
    """Return USD, correctly rounded: its shortest text has the exact digits of any cost below 1,000 USD."""
    return pico / PICO_PER_USD
