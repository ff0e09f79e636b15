"""Money as integers of 10⁻¹² USD (pico-USD): exact sums in any order.

No I/O, no formatting.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from runwatch.pricing import PICO_PER_USD, Price, PriceFunction

__all__ = ["Price", "PriceFunction", "pico_of", "usd_of"]

_MAX_USD = 1e12


def pico_of(usd: float | None) -> int | None:
    """Return pico-USD of the decimal that was written in the journal, or None for what cannot be a cost."""
    if usd is None or not 0 <= usd < _MAX_USD:
        return None
    return int((Decimal(repr(usd)) * PICO_PER_USD).to_integral_value(ROUND_HALF_EVEN))


def usd_of(pico: int) -> float:
    """Return USD, correctly rounded: its shortest text has the exact digits of any cost below 1,000 USD."""
    return pico / PICO_PER_USD
