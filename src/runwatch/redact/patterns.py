"""The user's own patterns, matched within a time limit: one that backtracks for ever must not keep a run from its end.

Must not decide what becomes of a text that a pattern took too long on. Matched by `regex`, since `re` knows no limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from runwatch.errors import SettingsError
from runwatch.redact.rules import Rule, Span

LONGEST_S = 0.125
"""CPU time that one pattern may take on one text, before any took too long."""
BUDGET_S = 1.0
"""What patterns may lose on texts in all: the less is left of it, the sooner the next one is given up."""
_SHARE = 8
_LEAST_S, _LEAST_PER_CHARACTER_S = 0.002, 2.5e-7


class TookTooLong(Exception):
    """A pattern found no end on a text."""


class Patterns:
    """Regular expressions of the user's, of which the group `secret` is taken, or the whole match."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take patterns as the `re` module knows them. Raises SettingsError for one that is none."""
        self._rules = [(_compiled(pattern), Rule("pattern", pattern)) for pattern in patterns]
        self._left_s = BUDGET_S
        self.slow: set[int] = set()
        """Numbers of the patterns that took too long on some text, from 1."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield where they match a text. Raises TookTooLong."""
        for number, (compiled, rule) in enumerate(self._rules, 1):
            limit_s = max(min(LONGEST_S, self._left_s / _SHARE), _LEAST_S + len(text) * _LEAST_PER_CHARACTER_S)
            try:
                yield from rule.among(compiled.finditer(text, timeout=limit_s))
            except TimeoutError:
                self._left_s -= limit_s
                self.slow.add(number)
                raise TookTooLong from None


def _compiled(pattern: str) -> Any:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SettingsError(f'redact.patterns has "{pattern}", which is no regular expression: {error}.') from error
    import regex  # 20 ms that only who has patterns needs

    try:
        return regex.compile(pattern, regex.MULTILINE | regex.VERSION0)
    except regex.error as error:
        raise SettingsError(f'redact.patterns has "{pattern}", which cannot be used: {error}.') from error
