"""What the calls of one cell used while an attempt of their agent was under way, attempt by attempt.

No I/O, no formatting. A run has ten thousands of attempts: each takes sixteen bytes here, kept because another source
may turn out to have seen more of the calls, which then count no longer.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable


class UnderAttempts:
    """Tokens by the ordinal of the attempt."""

    __slots__ = ("_counts", "_ordinals", "_pending", "_tokens")

    def __init__(self) -> None:
        self._ordinals = array("q")
        """In rising order."""
        self._tokens = array("q")
        self._pending: dict[int, int] = {}
        """What came since the last ``settle``."""
        self._counts = True

    def add(self, ordinal: int, tokens: int) -> None:
        """Add to what calls under an attempt used."""
        self._pending[ordinal] = self._pending.get(ordinal, 0) + tokens

    def settle(self, use: Callable[[int, int], None], *, counts: bool) -> None:
        """Tell ``use`` what came to each attempt; all or nothing where the calls begin or cease to count."""
        if self._pending:
            for ordinal, tokens in self._pending.items():
                self._keep(ordinal, tokens)
                if self._counts:
                    use(ordinal, tokens)
            self._pending.clear()
        if counts != self._counts:
            self._counts = counts
            for ordinal, tokens in zip(self._ordinals, self._tokens, strict=True):
                use(ordinal, tokens if counts else -tokens)

    def _keep(self, ordinal: int, tokens: int) -> None:
        at = bisect_left(self._ordinals, ordinal)
        if at == len(self._ordinals) or self._ordinals[at] != ordinal:
            self._ordinals.insert(at, ordinal)
            self._tokens.insert(at, 0)
        self._tokens[at] += tokens
