"""Sums over model calls as rows of integers, which add up exactly in any order.

No I/O, no formatting.
"""

from __future__ import annotations

from collections.abc import Iterable

from runwatch.fold.metrics import Tokens
from runwatch.fold.money import usd_of

CALLS = 0
"""Model calls that ended, retries included."""
REQUESTS = 1
"""Model requests, retries of one counted once."""
FAILURES = 2
RATE_LIMITS = 3
TIMEOUTS = 4
PROMPT = 5
COMPLETION = 6
CACHE_READ = 7
CACHE_WRITE = 8
REASONING = 9
TOTAL = 10
PICO = 11
"""Cost in 10⁻¹² USD of the priced calls."""
PRICED = 12
"""Calls with a price."""
UNPRICED = 13
"""Calls without a cost that should have one."""
MICROS = 14
"""Time in calls, in microseconds."""
UNSPLIT = 15
"""Calls of UNPRICED of which nobody tells how many tokens went in and how many came out; the others have no price."""
MUTE = 16
"""Calls that succeeded and of which nobody tells any tokens."""
CHANGES = 17
"""How often this row changed: tells whether what was made of it is still right."""
WIDTH = 17

Tally = list[int]
"""One row: a number for each of the names above."""


def empty() -> Tally:
    """Return a row of zeros."""
    return [0] * (WIDTH + 1)


def shift(rows: Iterable[Tally], old: Tally, new: Tally) -> None:
    """Add the difference of ``new`` and ``old`` to each of ``rows``, and make ``old`` equal to ``new``."""
    changes = [(at, new[at] - old[at]) for at in range(WIDTH) if new[at] != old[at]]
    if not changes:
        return
    for row in rows:
        row[CHANGES] += 1
        for at, change in changes:
            row[at] += change
    old[:WIDTH] = new[:WIDTH]


def tokens_of(row: Tally) -> Tokens:
    """Return the tokens of a row."""
    return Tokens(
        prompt=row[PROMPT],
        completion=row[COMPLETION],
        cache_read=row[CACHE_READ],
        cache_write=row[CACHE_WRITE],
        reasoning=row[REASONING],
        total=row[TOTAL],
    )


def cost_of(row: Tally) -> float | None:
    """Return USD of the priced calls, None without any."""
    return usd_of(row[PICO]) if row[PRICED] else None
