"""Step markers in a command's output: which lines open and close a step, or report an error.

No I/O, no numbering of steps, no journal. Sources: GitHub workflow commands (``::group::``, ``::endgroup::``,
``::error``, ``::warning``); GitLab job log sections (``section_start:<unix>:<name>``, ``section_end:…``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from runwatch.timed_pattern import TimedPattern

MAX_MARKER_BYTES = 4096
"""A longer line is no marker."""

Kind = Literal["open", "close", "error", "warning"]

_GITHUB = re.compile(rb"::(group|endgroup|error|warning)(?: ([^\r\n]*?))?::([^\r\n]*)")
_GITLAB = re.compile(
    rb"(?:\x1b\[0K)?section_(start|end):\d+:([\w.-]+)(?:\[[^\]\r\n]*\])?(?:\r(?:\x1b\[0K)?([^\r\n]*))?"
)
_STARTS = (b"::", b"section_", b"\x1b[0Ksection_")
"""How a marker line begins."""
_SUSPECT = re.compile(
    rb"\n(?:::|section_|\x1b\[0Ksection_)"
)  # one pass: a search for each would cost more than the copy
_IN_EVERY_ONE = (b"\n::", b"section_")
"""One of them stands in every piece that ``_SUSPECT`` finds something in."""
_LARGE_BYTES = 1 << 15
"""From this size on a piece is searched by the C library first."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f]")
_KINDS: dict[bytes, Kind] = {b"group": "open", b"endgroup": "close", b"error": "error", b"warning": "warning"}


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker line says."""

    kind: Kind
    """What to do."""
    text: str = ""
    """Name of the step, or the message."""
    where: str | None = None
    """``file:line`` of an error or warning."""


class MarkerScanner:
    """Recognizes marker lines; of the user's own ``pattern`` the group ``name``, or the whole match, is the name.

    A pattern that takes too long on a line is not looked for from then on, and a warning in its place tells so.
    """

    def __init__(self, pattern: str | None = None, where: str | None = None) -> None:
        """``where`` is the place that sets the pattern, as people know it."""
        self._pattern, self._where = pattern, where or "[steps] pattern"
        self._own: TimedPattern | None = None
        self._trouble: str | None = None
        """What is to be said of the pattern with the next line."""
        self._turn = Lock()
        if pattern:
            self._own, self._trouble = _timed(pattern)

    def suspects(self, buffer: bytearray, count: int) -> bool:
        """Whether the first ``count`` bytes may hold a marker, or begin one in their unfinished last line. Quick.

        The byte behind them may be overwritten.
        """
        if self._own is not None or self._trouble is not None or buffer.startswith(_STARTS):
            return True
        lacks = _quick_search() if count >= _LARGE_BYTES else None
        surely_none = lacks is not None and lacks(buffer, count, _IN_EVERY_ONE)
        if not surely_none and _SUSPECT.search(buffer, 0, count):
            return True
        last = buffer.rfind(b"\n", 0, count) + 1
        return self.may_begin(buffer[last : min(count, last + MAX_MARKER_BYTES + 1)])

    def may_begin(self, line: bytes | bytearray) -> bool:
        """Whether an unfinished line may yet become a marker, so that it must not be filed under a step."""
        if len(line) > MAX_MARKER_BYTES or not line:
            return False
        if self._own is not None:
            return b"\r" not in line
        start = bytes(line[:24])
        return start.startswith(_STARTS) or any(whole.startswith(start) for whole in _STARTS)

    def read(self, line: bytes) -> Marker | None:
        """Return what a complete line says, or None for an ordinary one."""
        if len(line) > MAX_MARKER_BYTES:
            return None
        if line.startswith(b"::") and (match := _GITHUB.match(line)):
            kind = _KINDS[match[1]]
            where = _where(match[2]) if match[2] else None
            return Marker(kind, _clean(match[3]), where)
        if b"section_" in line[:16] and (match := _GITLAB.match(line)):
            if match[1] == b"end":
                return Marker("close", _clean(match[2]))
            return Marker("open", _clean(match[3] or b"") or _clean(match[2]))
        if self._own is not None or self._trouble is not None:
            return self._own_marker(line.rstrip(b"\r\n").decode("utf-8", "replace"))
        return None

    def _own_marker(self, line: str) -> Marker | None:
        own = self._own
        try:
            match = None if own is None else own.search(line)
        except TimeoutError:
            with self._turn:  # both streams may come to it at once
                if self._own is not None:
                    self._own, self._trouble = None, "takes too long on a line: repeat nothing that repeats itself"
        else:
            if match is not None:
                name = match.groupdict().get("name")
                return Marker("open", _clean(match[0] if name is None else name))
        with self._turn:
            trouble, self._trouble = self._trouble, None
        if trouble is None:
            return None
        said = f'{self._where}: steps.pattern "{self._pattern}" {trouble}; it opens no steps in this run from here on.'
        return Marker("warning", said, "steps")


@cache
def _quick_search() -> Callable[[bytearray, int, tuple[bytes, ...]], bool] | None:
    """Return the search for large pieces, loaded when a command prints much; None where it cannot be had."""
    try:
        from runwatch.sources.byte_search import lacks
    except Exception:  # noqa: BLE001 - a command may remove what we run from; its output is copied all the same
        return None
    return lacks


def _where(properties: bytes) -> str | None:
    """Return ``file:line`` of a workflow command's properties."""
    pairs = dict(part.split("=", 1) for part in _clean(properties).split(",") if "=" in part)
    if "file" not in pairs:
        return None
    return f"{pairs['file']}:{pairs['line']}" if "line" in pairs else pairs["file"]


def _clean(raw: bytes | str) -> str:
    """Return a name or message as text, without colours and control characters."""
    return _ESCAPES.sub("", raw if isinstance(raw, str) else raw.decode("utf-8", "replace")).strip()[:500]


def _timed(pattern: str) -> tuple[TimedPattern | None, str | None]:
    """Return the user's pattern, or None and why it cannot be had."""
    try:
        from runwatch.timed_pattern import TimedPattern

        return TimedPattern(pattern), None
    except ValueError as error:
        return None, f"{error}: write it another way"
    except Exception as error:  # noqa: BLE001 - a place without room for its library still records the command
        return None, f"cannot be used: {error}"
