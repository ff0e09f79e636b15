"""What counts as having ended well.

No I/O, no formatting. Source: the specification, "The words".
"""

from __future__ import annotations

from runwatch.events.words import ended_well

__all__ = ["ended_well", "percent"]


def percent(part: int, whole: int) -> float | None:
    """Return a percentage with two digits, None of nothing."""
    return round(100 * part / whole, 2) if whole else None
