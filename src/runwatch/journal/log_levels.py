"""Which lines of a block have at least a level: those that say so, and those without one below them.

Must not read. A line's level is the one it is drawn with. A line that says none belongs to the record above it when
that has a time; when it has none, as in a program's plain output, only while it is indented. What belongs to no record
counts as INFO.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from runwatch.journal.log_lines import LEVELS, LogLine, parse_line
from runwatch.visible import without_colors

_REACH_BYTES = 128 << 10
_PLAIN = LEVELS.index("INFO")
_LOW_WORDS = (b"debug", b"dbg", b"trace", b"verbose")
_HIGH_WORDS = (b"warn", b"wrn", b"err", b"crit", b"fatal", b"panic", b"alert", b"emerg", b"severe")
"""Lower case; a line whose level lies on that side of the bar holds one of these, or the letter or number below."""


def _letters(letters: str) -> tuple[bytes, ...]:
    """Return how a letter alone says a level in a line of text."""
    around = ((" ", " "), (" ", "/"), ("]", " "), ("\n", ""))
    return tuple(f"{before}{letter}{behind}".encode() for letter in letters for before, behind in around)


def _colored(letters: str) -> tuple[bytes, ...]:
    """Return how such a letter stands behind a color sequence: ``\x1b[31mE   assert``."""
    return tuple(f"{end}m{letter} ".encode() for letter in letters for end in ("[", *"0123456789"))


def _numbers(digits: str) -> tuple[bytes, ...]:
    """Return how a number says a level in a JSON line: ``"level":40``, ``"severity": 50``."""
    return tuple(f'{end}":{gap}{digit}'.encode() for end in "ly" for gap in ("", " ") for digit in digits)


_PLAINLY, _INDENTED, _ALL = 0, 1, 2
"""What of the lines below that say no level belongs to a line: none of them, the indented ones, all."""


def passed_on(line: LogLine) -> int:
    """Return what of the lines below goes with a line that says a level, for ``inherits``."""
    return _ALL if line.time is not None or line.text.lstrip()[:1] == "{" else _INDENTED


def inherits(line: LogLine, passed: int) -> bool:
    """Tell whether a line that says no level goes with the record above, which passed this on."""
    return passed == _ALL or (passed == _INDENTED and without_colors(line.text)[:1] in ("", " ", "\t"))


class LevelBar:
    """The least level that is wanted."""

    def __init__(self, level: str) -> None:
        """``level`` is one of LEVELS."""
        self.level = level
        self._least = LEVELS.index(level)
        self._marks_low = self._least <= _PLAIN
        self._words = _LOW_WORDS if self._marks_low else _HIGH_WORDS
        letters = "dt" if self._marks_low else "wef"
        self._letters, self._colored = _letters(letters), _colored(letters)
        self._numbers = _numbers("12" if self._marks_low else "456789")

    def marked(self, data: bytes, starts: Sequence[int], near: float, passed: int) -> tuple[list[int], int]:
        """Return which lines of ``data`` stand on the rarer side of the bar, and what the last one passes on.

        ``starts``: where its lines begin, in order. ``passed``: what the line above the first one passes on, 0 unless
        it stands on that side. ``near``: see ``parse_line``.
        """
        found: list[int] = []
        at, passed = self._run(data, starts, 0, near, passed, found)
        for number in self._candidates(data, starts):
            if number >= at and self._is_marked((line := self._line(data, starts, number, near)).level):
                found.append(number)
                at, passed = self._run(data, starts, number + 1, near, passed_on(line), found)
        return found, passed if found and found[-1] == len(starts) - 1 else _PLAINLY

    def chosen(self, marked: Sequence[int], count: int) -> list[int]:
        """Return the lines that are wanted, of so many."""
        if not self._marks_low:
            return list(marked)
        unwanted = set(marked)
        return [line for line in range(count) if line not in unwanted]

    def _run(
        self, data: bytes, starts: Sequence[int], at: int, near: float, passed: int, found: list[int]
    ) -> tuple[int, int]:
        """Take lines until one stands on the other side; return that one, and what the last one taken passes on."""
        while passed and at < len(starts):
            line = self._line(data, starts, at, near)
            if line.level is None:
                if not inherits(line, passed):
                    break
            elif self._is_marked(line.level):
                passed = passed_on(line)
            else:
                break
            found.append(at)
            at += 1
        return at, passed

    def _candidates(self, data: bytes, starts: Sequence[int]) -> list[int]:
        lower, lines = b"\n" + data.lower(), set[int]()
        for spelling in self._spellings(lower):
            at = lower.find(spelling)
            while at >= 0:
                place = at if spelling[:1] == b"\n" else at - 1
                lines.add(max(bisect_right(starts, place) - 1, 0))
                end = lower.find(b"\n", at + 1)
                at = lower.find(spelling, end) if end >= 0 else -1
        return sorted(lines)

    def may_mark(self, data: bytes) -> bool:
        """Tell, without looking for lines, whether any of ``data`` could stand on the rarer side."""
        lower = b"\n" + data.lower()
        return any(spelling in lower for spelling in self._spellings(lower))

    def _spellings(self, lower: bytes) -> tuple[bytes, ...]:
        """Return what to look for: letters and numbers only where lines may say their level so."""
        found: tuple[bytes, ...] = self._words
        if lower.count(b"\n{") < lower.count(b"\n") - lower.endswith(b"\n"):
            found += self._letters
            if b"\x1b[" in lower:
                found += self._colored
        quoted = sum(map(lower.count, (b'l":"', b'l": "', b'y":"', b'y": "')))
        if lower.count(b'l":') + lower.count(b'y":') > quoted:
            found += self._numbers
        return found

    def _is_marked(self, level: str | None) -> bool:
        if level is None:
            return False
        rank = LEVELS.index(level)
        return rank < self._least if self._marks_low else rank >= self._least

    @staticmethod
    def _line(data: bytes, starts: Sequence[int], number: int, near: float) -> LogLine:
        end = starts[number + 1] - 1 if number + 1 < len(starts) else len(data)
        return parse_line(data[starts[number] : min(end, starts[number] + _REACH_BYTES)], near=near)
