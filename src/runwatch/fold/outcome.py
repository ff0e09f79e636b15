"""What counts as having ended well.

No I/O, no formatting. Source: the specification, "The words".
"""

from __future__ import annotations

_WELL = frozenset({"success", "completed", "resolved", "merged", "closed"})


def ended_well(status: str | None) -> bool:
    """Return whether a status is one of success, completed, resolved, merged, closed, however it is spelled."""
    return status is not None and status.lower() in _WELL


def percent(part: int, whole: int) -> float | None:
    """Return a percentage with two digits, None of nothing."""
    return round(100 * part / whole, 2) if whole else None
