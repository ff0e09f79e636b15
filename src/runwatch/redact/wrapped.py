"""A text as it reads where a terminal or a mail program broke a long word over lines.

Must not know what is looked for in it. A break is one when both sides touch it without a space; most of those end a
line for good, so what goes on must look like nothing that anybody would write.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import NamedTuple

_BREAK = re.compile(r"(?<=[\w.+/=-])(?:\r?\n)(?=[\w+/=-])", re.ASCII)
_CHUNK = re.compile(r"[\w+/=-]{8,400}", re.ASCII)
_CHANGES = re.compile(r"[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])")
_MOST_CHANGES = 2
"""So often may a word go from letters to digits and back that somebody thought of."""
_BEGUN = re.compile(r"(?:[A-Z0-9][\w.+/=-]{0,200}|[-_]|(?<![\w.+/=-])[\w.+/=-]{1,4})\Z", re.ASCII)
"""How what was broken begins: with a digit or a capital in it, or with no more than a prefix."""
_LONGEST_HEAD = 240
_WORD = re.compile(r"[\w.+/=-]", re.ASCII)


class Joined(NamedTuple):
    """A text without some of its line breaks."""

    text: str
    """What it reads."""
    places: tuple[int, ...]
    """Where in it the breaks were."""
    widths: tuple[int, ...]
    """How many characters all breaks up to each of them have in the text as it stands."""

    def crosses(self, start: int, end: int) -> bool:
        """Whether a break was between two places."""
        return bisect_right(self.places, start) < bisect_right(self.places, end - 1)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the text as it stands of a place in this one."""
        return self._back(start), self._back(end - 1) + 1

    def _back(self, place: int) -> int:
        at = bisect_right(self.places, place)
        return place + (self.widths[at - 1] if at else 0)


def joined(text: str, known: Iterable[tuple[int, int]] = ()) -> Joined | None:
    """Return a text with each line break left out that a word without meaning may be broken by; None without any.

    ``known`` are places of words that are whole: between two of them nothing goes on.
    """
    begun = dict(sorted(known))
    ended = set(begun.values())

    def wanted(text: str, match: re.Match[str]) -> bool:
        behind = begun.get(match.end()) if match.start() in ended else None
        is_between = behind is not None and _WORD.match(text, behind) is None
        return not is_between and _goes_on(text, match)

    return _without(text, wanted)


def joined_everywhere(text: str) -> Joined | None:
    """Return a text with each line break left out that touches words on both sides; None without any."""
    return _without(text, lambda text, match: True)


def _goes_on(text: str, match: re.Match[str]) -> bool:
    head = text[max(0, match.start() - _LONGEST_HEAD) : match.start()]
    chunk = _CHUNK.match(text, match.end())
    if chunk is None or len(_CHANGES.findall(chunk[0])) <= _MOST_CHANGES:
        return False
    return _BEGUN.search(head) is not None


def _without(text: str, wanted: Callable[[str, re.Match[str]], bool]) -> Joined | None:
    if "\n" not in text:
        return None
    parts: list[str] = []
    places: list[int] = []
    widths: list[int] = []
    taken = length = left_out = 0
    for match in _BREAK.finditer(text):
        if wanted(text, match):
            parts.append(text[taken : match.start()])
            length += match.start() - taken
            left_out += match.end() - match.start()
            taken = match.end()
            places.append(length)
            widths.append(left_out)
    if not places:
        return None
    return Joined("".join([*parts, text[taken:]]), tuple(places), tuple(widths))
