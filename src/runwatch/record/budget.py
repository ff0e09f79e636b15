"""What a run may cost: when one of the configured limits is reached.

Must not act: it says what was crossed, once each; the recorder writes and stops.
Source: cli-and-tui.md, "Configuration".
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from runwatch.fold.metrics import Metrics
from runwatch.settings import Limits

ERRORS_WINDOW_S = 60.0
"""Errors are counted over so long."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A limit that was reached."""

    rule: str
    """Its key in ``[limits]``."""
    value: float
    """What was measured."""
    threshold: float
    """What it was held against."""
    stops: bool
    """Whether the run is to be stopped for it."""


class Budget:
    """The limits of one run. For one thread; all times in monotonic seconds but the run's own duration."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reached: set[str] = set()
        self._errors: deque[tuple[float, int]] = deque()
        self._blind: set[str] = set()

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        limits = self._limits
        return any(
            limit is not None
            for limit in (
                limits.max_cost_usd, limits.max_tokens, limits.max_duration_s, limits.stall_after_s,
                limits.max_errors_per_minute,
            )
        )  # fmt: skip

    def check(self, metrics: Metrics, *, now: float, quiet_s: float) -> list[Crossing]:
        """Return the limits that are reached now and were not before.

        ``metrics`` as of now; ``quiet_s`` is how long there has been no output and no event of the program's.
        """
        limits, run = self._limits, metrics.run
        known = {notice.rule for notice in metrics.notices if notice.rule is not None}
        values = [
            ("max_cost_usd", run.cost_usd or 0.0, limits.max_cost_usd),
            ("max_tokens", run.tokens.total, limits.max_tokens),
            ("max_duration", round(run.duration_seconds, 1), limits.max_duration_s),
            ("max_errors_per_minute", self._recent_errors(metrics, now), limits.max_errors_per_minute),
            ("stall_after", round(quiet_s, 1), limits.stall_after_s),
        ]
        found = []
        for rule, value, threshold in values:
            if threshold is None:
                continue
            if value < threshold:
                if rule in ("stall_after", "max_errors_per_minute"):
                    self._reached.discard(rule)  # it can be reached again
                continue
            if rule in self._reached:
                continue
            self._reached.add(rule)
            if rule in known and rule not in ("stall_after", "max_errors_per_minute"):
                continue  # a former recorder said it
            found.append(Crossing(rule, value, threshold, stops=rule in limits.stop))
        return found

    def unseen(self, metrics: Metrics) -> list[str]:
        """Return, once each, what a budget cannot see: calls without a known price or without a known usage."""
        found = {}
        limits = self._limits
        if limits.max_cost_usd is not None and metrics.run.unpriced_models:
            names = ", ".join(metrics.run.unpriced_models[:5])
            found["cost"] = f"max_cost_usd cannot see the calls of {names}: no price is known; add one under [pricing]"
        if limits.max_tokens is not None:
            blind = [model.model for model in metrics.models if model.calls > model.failures and not model.tokens.total]
            if blind:
                names = ", ".join(blind[:5])
                found["tokens"] = f"max_tokens cannot see the calls of {names}: nothing says how many tokens they used"
        new = [sentence for kind, sentence in found.items() if kind not in self._blind]
        self._blind |= set(found)
        return new

    def _recent_errors(self, metrics: Metrics, now: float) -> int:
        """Count the errors of the last minute."""
        errors = metrics.run.errors
        if not self._errors:  # a new recorder does not know when the errors before it were
            is_new = metrics.run.duration_seconds <= ERRORS_WINDOW_S
            self._errors.append((now - ERRORS_WINDOW_S, 0 if is_new else errors))
        if self._errors[-1][1] != errors:
            self._errors.append((now, errors))
        while len(self._errors) > 1 and self._errors[1][0] <= now - ERRORS_WINDOW_S:
            self._errors.popleft()
        return errors - self._errors[0][1]
