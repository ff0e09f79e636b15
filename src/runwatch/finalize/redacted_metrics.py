"""The metrics with every secret in any text taken out, flush after flush.

Must not decide what a secret is. A run of a million events has many entries, and most are those of the flush before:
what the fold hands over as the same object is looked through once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from runwatch.fold.ended import AttemptRows
from runwatch.fold.metrics import AttemptMetrics, Metrics

_MOST_KEPT = 1024
"""Attempts of a long run that are not looked through again: more than metrics.json shows."""


class RedactedMetrics:
    """One run's; for one thread."""

    def __init__(self, redact: Callable[[Any], Any]) -> None:
        """``redact`` takes the secrets out of a tree of plain values, always the same way."""
        self._redact = redact
        self._kept: dict[str, tuple[list[Any], list[Any]]] = {}
        """List to its entries the time before, and what they became."""
        self._attempts: dict[int, tuple[AttemptMetrics, AttemptMetrics]] = {}
        """By identity: attempts of a long run that were read, and what they became."""

    def of(self, metrics: Metrics) -> Metrics:
        """Return the metrics without secrets; entries of lists that have none are those of ``metrics`` themselves."""
        lists = {name: held for name in metrics.__struct_fields__ if isinstance(held := getattr(metrics, name), list)}
        rest = msgspec.structs.replace(metrics, **{name: [] for name in (*lists, "attempts")})
        shown = msgspec.convert(self._redact(msgspec.to_builtins(rest)), Metrics)
        for name, held in lists.items():
            setattr(shown, name, self._each(name, held))
        if isinstance(metrics.attempts, AttemptRows):
            shown.attempts = RedactedAttempts(metrics.attempts, self._attempt)
        return shown

    def _each(self, name: str, held: list[Any]) -> list[Any]:
        before, became = self._kept.get(name, ([], []))
        shown = [
            became[at] if at < len(before) and before[at] is entry else self._entry(entry)
            for at, entry in enumerate(held)
        ]
        self._kept[name] = held, shown
        return list(shown)

    def _attempt(self, attempt: AttemptMetrics) -> AttemptMetrics:
        known = self._attempts.get(id(attempt))
        if known is not None and known[0] is attempt:
            return known[1]
        became: AttemptMetrics = self._entry(attempt)
        self._attempts[id(attempt)] = attempt, became
        if len(self._attempts) > _MOST_KEPT:
            del self._attempts[next(iter(self._attempts))]
        return became

    def _entry(self, entry: Any) -> Any:
        plain = msgspec.to_builtins(entry)
        redacted = self._redact(plain)
        return entry if redacted == plain else msgspec.convert(redacted, type(entry))


class RedactedAttempts(Sequence[AttemptMetrics]):
    """The attempts of a long run, looked through as they are read."""

    def __init__(self, attempts: AttemptRows, redact: Callable[[AttemptMetrics], AttemptMetrics]) -> None:
        self._attempts, self._redact = attempts, redact
        self.corrections = attempts.corrections

    def __len__(self) -> int:
        return len(self._attempts)

    def __getitem__(self, at: Any) -> Any:
        found = self._attempts[at]
        return [self._redact(each) for each in found] if isinstance(found, list) else self._redact(found)

    def __iter__(self) -> Iterator[AttemptMetrics]:
        return map(self._redact, self._attempts)
