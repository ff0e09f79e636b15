"""The metrics with every secret in any text taken out, flush after flush.

Must not decide what a secret is. A run of a million events has many entries, and most are those of the flush before:
what the fold hands over as the same object is looked through once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runwatch.fold.metrics import Metrics


class RedactedMetrics:
    """One run's; for one thread."""

    def __init__(self, redact: Callable[[Any], Any]) -> None:
        """``redact`` takes the secrets out of a tree of plain values, always the same way."""
        self._redact = redact
        self._kept: dict[str, tuple[list[Any], list[Any]]] = {}
        """List to its entries the time before, and what they became."""

    def of(self, metrics: Metrics) -> Metrics:
        """Return the metrics without secrets; entries of lists that have none are those of ``metrics`` themselves."""
        lists = {name: held for name in metrics.__struct_fields__ if isinstance(held := getattr(metrics, name), list)}
        rest = msgspec.structs.replace(metrics, **{name: [] for name in lists})
        shown = msgspec.convert(self._redact(msgspec.to_builtins(rest)), Metrics)
        for name, held in lists.items():
            setattr(shown, name, self._each(name, held))
        return shown

    def _each(self, name: str, held: list[Any]) -> list[Any]:
        before, became = self._kept.get(name, ([], []))
        shown = [
            became[at] if at < len(before) and before[at] is entry else self._entry(entry)
            for at, entry in enumerate(held)
        ]
        self._kept[name] = held, shown
        return list(shown)

    def _entry(self, entry: Any) -> Any:
        plain = msgspec.to_builtins(entry)
        redacted = self._redact(plain)
        return entry if redacted == plain else msgspec.convert(redacted, type(entry))
