"""A regular expression of the user's that cannot run for ever: a limit for each text, a budget for all of them.

Must not decide what becomes of a text that it took too long on. Matched by `regex`, since `re` knows no limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

LONGEST_S = 0.0625
"""CPU time that it may take on one text beyond that text's slice, before any took long."""
BUDGET_S = 0.5
"""The same on all texts together: the less is left of it, the sooner the next one is given up."""
_SHARE = 8
_SLICE_S, _SLICE_PER_CHARACTER_S = 3e-5, 2.5e-7
"""What every text gets in any case, several times what a good pattern needs."""

_Found = TypeVar("_Found")


class TookTooLong(TimeoutError):
    """The pattern found no end on a text in time."""


class TimedPattern:
    """One regular expression and what is left of its budget."""

    def __init__(self, pattern: str) -> None:
        """Compile a pattern as the `re` module knows it, ``^`` and ``$`` at every line. Raises ValueError."""
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        import regex  # 20 ms that only who has patterns needs

        try:
            self._compiled: Any = regex.compile(pattern, regex.MULTILINE | regex.VERSION0)
        except regex.error as error:
            raise ValueError(f"cannot be used: {error}") from error
        self._left_s = BUDGET_S

    def matches(self, text: str) -> list[re.Match[str]]:
        """Return the matches in a text, in order. Raises TookTooLong."""
        slice_s = _SLICE_S + len(text) * _SLICE_PER_CHARACTER_S
        try:
            return list(self._compiled.finditer(text, timeout=slice_s))
        except TimeoutError:
            return self._patiently(lambda limit_s: list(self._compiled.finditer(text, timeout=limit_s)), slice_s)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in a text. Raises TookTooLong."""
        slice_s = _SLICE_S + len(text) * _SLICE_PER_CHARACTER_S
        try:
            found: re.Match[str] | None = self._compiled.search(text, timeout=slice_s)
        except TimeoutError:
            found = self._patiently(lambda limit_s: self._compiled.search(text, timeout=limit_s), slice_s)
        return found

    def _patiently(self, match: Callable[[float], _Found], slice_s: float) -> _Found:
        """Match a text that the slice was not enough for with a share of the budget, if there is any left."""
        extra_s = min(LONGEST_S, self._left_s / _SHARE)
        if extra_s < slice_s:
            raise TookTooLong
        began = time.thread_time()
        try:
            return match(slice_s + extra_s)
        except TimeoutError:
            raise TookTooLong from None
        finally:
            # Slow answers count too: thousands of them take as long as one that never comes.
            self._left_s -= time.thread_time() - began
