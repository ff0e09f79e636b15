"""Health checks of services: the last one of each.

No I/O, no formatting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events import Event
from runwatch.events.calls import ServiceHealth
from runwatch.fold.clock import Clock
from runwatch.fold.metrics import HealthMetrics

_MOST = 500
"""Services; later ones are passed over."""


class Health:
    """All services that were checked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, HealthMetrics] = {}

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {ServiceHealth: self._checked}

    def metrics(self) -> list[HealthMetrics]:
        """Return the services, in order of their first check."""
        return list(self._last.values())

    def _checked(self, event: ServiceHealth) -> None:
        former = self._last.get(event.service)
        if former is None and len(self._last) >= _MOST:
            return
        self._last[event.service] = HealthMetrics(
            service=event.service,
            healthy=event.healthy,
            latency_s=event.latency_s,
            error=event.error,
            time=self._clock.ts,
            checks=(former.checks if former else 0) + 1,
            failures=(former.failures if former else 0) + (not event.healthy),
        )
