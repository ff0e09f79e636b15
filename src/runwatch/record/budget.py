"""What a run may cost: when one of the configured limits is reached.

Must not act: it says what was crossed, once each; the recorder writes and stops.
Source: cli-and-tui.md, "Configuration".
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from runwatch.fold.metrics import Metrics
from runwatch.settings import Limits
from runwatch.units import count

ERRORS_WINDOW_S = 60.0
"""Errors are counted over so long."""
_LOOKS = 3
"""So often in a row must the usage of calls be unknown."""


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
        self._unsplit: deque[dict[str, int]] = deque(maxlen=_LOOKS)
        self._mute: deque[dict[str, int]] = deque(maxlen=_LOOKS)
        """The last looks: model to how many calls nobody has told the usage of."""

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

    def unseen(self, metrics: Metrics, *, ended: bool = False) -> list[str]:
        """Return, once each, what a budget cannot see: calls without a known price or without a known usage.

        A usage may be told a moment after its call: while the run goes on, one that is not there at several looks in a
        row counts as not known.
        """
        found = {}
        limits = self._limits
        unsplit = self._lasting({m.model: m.calls_without_split for m in metrics.models}, self._unsplit, ended)
        mute = self._lasting({m.model: m.calls_without_tokens for m in metrics.models}, self._mute, ended)
        if limits.max_cost_usd is not None and metrics.run.unpriced_models:
            names = ", ".join(metrics.run.unpriced_models[:5])
            found["cost"] = f"max_cost_usd cannot see the calls of {names}: no price is known; add one under [pricing]"
        if limits.max_cost_usd is not None and unsplit:
            found["usage"] = f"max_cost_usd cannot see {_calls(unsplit)}: nothing says how many tokens went in and out"
        if limits.max_tokens is not None and mute:
            found["tokens"] = f"max_tokens cannot see {_calls(mute)}: nothing says how many tokens they used"
        new = [sentence for kind, sentence in found.items() if kind not in self._blind]
        self._blind |= set(found)
        return new

    def _lasting(self, now: dict[str, int], looks: deque[dict[str, int]], ended: bool) -> dict[str, int]:
        """Return how many calls of each model were unknown at each of the last looks; at the end, now."""
        looks.append({model: number for model, number in now.items() if number})
        if ended:
            return looks[-1]
        if len(looks) < _LOOKS:
            return {}
        least = {model: min(look.get(model, 0) for look in looks) for model in looks[-1]}
        return {model: number for model, number in least.items() if number}

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


def _calls(unknown: dict[str, int]) -> str:
    """Return ``2 calls of gpt-4o, 1 of o3``."""
    parts = [f"{count(number)} of {model}" for model, number in list(unknown.items())[:5]]
    first, *_ = unknown.values()
    return ", ".join(parts).replace(" of ", " call of " if first == 1 else " calls of ", 1)
