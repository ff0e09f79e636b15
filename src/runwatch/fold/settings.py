"""What a fold needs to be told: weights of the complexity score, and how much it may remember.

No I/O, no formatting. The weights of a journal's own ``run.started`` win over these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_MOST = 1e100


def number_of(value: object) -> float | None:
    """Return a number of a configuration, None for what is none or beyond all that can be meant."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and -_MOST <= value <= _MOST else None  # type: ignore[arg-type, operator]  # checked


class FoldSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Choices of a fold."""

    churn_weight: float = 0.01
    """Complexity per line added or deleted."""
    files_weight: float = 0.5
    """Complexity per file created, modified, deleted or renamed."""
    retries_weight: float = 2.0
    """Complexity per retry of an agent and per pipeline attempt after the first."""
    remembered_calls: int = 100_000
    """How many model calls are remembered, to tell repeats, corrections and prices that come later."""
    remembered_ends: int = 20_000
    """How many ends of tool calls, and as many of service calls, are remembered to tell repeats and retries."""
    remembered_open: int = 100_000
    """How many calls under way are remembered; an older one that never ended is forgotten."""

    def updated(self, values: Mapping[str, Any]) -> FoldSettings:
        """Return these with the numbers below ``complexity`` (``churn``, ``files``, ``retries``) of ``values``."""
        weights = values.get("complexity")
        if not isinstance(weights, Mapping):
            return self
        changes = {
            f"{name}_weight": weight
            for name in ("churn", "files", "retries")
            if (weight := number_of(weights.get(name))) is not None
        }
        return msgspec.structs.replace(self, **changes)
