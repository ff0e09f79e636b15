"""The user's own patterns, matched within a time limit: one that backtracks for ever must not keep a run from its end.

Must not decide what becomes of a text that a pattern took too long on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runwatch.errors import SettingsError
from runwatch.redact.rules import Rule, Span
from runwatch.timed_pattern import TimedPattern, TookTooLong


class Patterns:
    """Regular expressions of the user's, of which the group `secret` is taken, or the whole match."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take patterns as the `re` module knows them. Raises SettingsError for one that is none."""
        self._rules = [(_timed(pattern), Rule("pattern", pattern)) for pattern in patterns]
        self.slow: set[int] = set()
        """Numbers of the patterns that took too long on some text, from 1."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield where they match a text. Raises TookTooLong."""
        for number, (timed, rule) in enumerate(self._rules, 1):
            try:
                matches = timed.matches(text)
            except TookTooLong:
                self.slow.add(number)
                raise
            yield from rule.among(matches)


def _timed(pattern: str) -> TimedPattern:
    try:
        return TimedPattern(pattern)
    except ValueError as error:
        raise SettingsError(f'redact.patterns has "{pattern}", which {error}.') from error
