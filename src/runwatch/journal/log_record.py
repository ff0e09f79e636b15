"""One record as a whole: a JSON line, or a line with all that belongs to it below, such as a traceback.

Must not parse what it says. However long it is, no more than a window of it is read.
"""

from __future__ import annotations

from typing import NamedTuple

from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_lines import LogLine, parse_line

RECORD_BYTES = 1 << 20
"""What is read of a record at most."""

_LINES_ABOVE = 300
_LINES_BELOW = 2000
_HEAD_BYTES = 4096


class Record(NamedTuple):
    """What was read of it."""

    raw: bytes
    """Its bytes, carriage returns and all."""
    size_bytes: int
    """Length of what belongs to it; more than ``raw`` holds where only the beginning was read."""


def read_record(index: LogIndex, offset: int) -> Record:
    """Return the record that the line at an offset belongs to."""
    number = index.row_at(offset)
    first = _head(index, number)
    if first is None:
        first, last = number, number
    else:
        last = _last(index, first)
    begin = index.offsets(first, 1)[0]
    behind = index.offsets(last + 1, 1)
    end = behind[0] if behind else index.stream.size
    return Record(index.stream.read(begin, min(end - begin, RECORD_BYTES)), end - begin)


def _head(index: LogIndex, number: int) -> int | None:
    """Return the line at or above that begins a record; None where no line says that it does."""
    for above in range(number, max(number - _LINES_ABOVE, -1), -1):
        if _begins(_line(index, above)):
            return above
    return None


def _last(index: LogIndex, first: int) -> int:
    if _raw(index, first).lstrip()[:1] == b"{":
        return first
    last = first
    for below in range(first + 1, first + _LINES_BELOW):
        if not index.offsets(below, 1) or _begins(_line(index, below)):
            break
        last = below
    return last


def _begins(line: LogLine) -> bool:
    return line.time is not None or line.level is not None or line.text.lstrip()[:1] == "{"


def _line(index: LogIndex, number: int) -> LogLine:
    return parse_line(_raw(index, number), near=index.rule.base or 1.0, whole=False)


def _raw(index: LogIndex, number: int) -> bytes:
    for offset in index.offsets(number, 1):
        return index.stream.read(offset, _HEAD_BYTES).partition(b"\n")[0]
    return b""
