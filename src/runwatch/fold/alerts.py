"""What an alert or a reached limit says to people: its value and threshold with their units.

Must not decide when one is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events.notices import AlertRaised, LimitReached
from runwatch.units import duration_long, usd, usd_and_limit

_MOST = 1e15
"""Larger numbers, which only a foreign line can hold, stay as they are."""


def _counted(unit: str) -> Callable[[float], str]:
    return lambda number: f"{number:,}".removesuffix(".0") + f" {unit}"


_UNITS: dict[str, Callable[[float], str]] = {
    "max_cost_usd": usd,
    "max_tokens": _counted("tokens"),
    "max_duration": duration_long,
    "max_errors_per_minute": _counted("errors a minute"),
    "stall_after": duration_long,
    "failure_streak": _counted("failed runs"),
    "deviation of duration_seconds": duration_long,
    "deviation of cost_usd": usd,
    "deviation of tokens": _counted("tokens"),
    "deviation of errors": _counted("errors"),
}
"""Rule to how its numbers are told; those of a program's own rules have no unit that we know."""


def in_words(event: AlertRaised | LimitReached) -> str:
    """Return ``max_cost_usd: $0.43 (threshold $0.40)``; the rule alone where no value is known."""
    if event.value is None:
        return event.rule
    value, threshold = _with_unit(event.rule, event.value), _with_unit(event.rule, event.threshold)
    if value == threshold and _UNITS.get(event.rule) is usd and _is_number(event.value):
        value, threshold = usd_and_limit(event.value, event.threshold)
    return f"{event.rule}: {value}" + ("" if event.threshold is None else f" (threshold {threshold})")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_MOST < value < _MOST


def _with_unit(rule: str, value: Any) -> str:
    """Return a value or a threshold of a rule as people read it."""
    told = _UNITS.get(rule)
    return told(value) if told is not None and _is_number(value) else str(value)
