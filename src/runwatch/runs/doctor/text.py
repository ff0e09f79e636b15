"""The findings as text: a glyph, what was looked at, a sentence, and the remedy below it.

Must not look at anything; color only when asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from runwatch.runs.doctor.finding import Finding, Level
from runwatch.visible import visible

_GLYPHS: dict[Level, str] = {"ok": "✓", "note": "·", "warning": "!", "fault": "✗"}
_PLAIN: dict[Level, str] = {"ok": "ok", "note": "--", "warning": "!!", "fault": "XX"}
_TONES: dict[Level, str] = {"ok": "32", "note": "2", "warning": "33", "fault": "31"}
_WIDTH = 16


def lines(found: Finding, *, color: bool = False, glyphs: bool = True) -> list[str]:
    """Return the lines of one finding; without ``glyphs``, for terminals that lack them, in ASCII."""
    mark = (_GLYPHS if glyphs else _PLAIN)[found.level]
    shown = f"\x1b[{_TONES[found.level]}m{mark}\x1b[0m" if color else mark
    text = [f"{shown} {found.check:<{_WIDTH}} {visible(found.sentence)}"]
    if found.remedy and found.level != "ok":
        text.append(f"{'':<{len(mark) + 1 + _WIDTH}} {'→' if glyphs else '->'} {visible(found.remedy)}")
    return text


def verdict(found: Sequence[Finding]) -> str:
    """Return the last line: whether runs here are recorded and committed."""
    faults = sum(1 for each in found if each.level == "fault")
    if not faults:
        return "Runs here are recorded and committed."
    return f"{faults} {'thing keeps' if faults == 1 else 'things keep'} runs here from being recorded or committed."
