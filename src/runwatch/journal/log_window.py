"""The bytes of one line, as much of them as can be drawn.

Must not parse them. A line of megabytes costs no more memory than a window of it.
"""

from __future__ import annotations

from typing import NamedTuple

from runwatch.journal.log_index import LogIndex

WINDOW_BYTES = 16 << 10
"""What is read of one line at most."""

_LAST_STATE_BYTES = 4096


class Window(NamedTuple):
    """What was read of a line."""

    raw: bytes
    """Its bytes without its line feed; of a long one redrawn with carriage returns the last state."""
    size_bytes: int
    """Its length."""
    whole: bool
    """False where the window does not hold its end."""


def read_line(index: LogIndex, offset: int, end: int | None = None) -> Window:
    """Return the line that begins at an offset; ``end`` is where the next one begins, if that is known."""
    stream = index.stream
    if end is None:
        end = stream.size
        if end - offset > WINDOW_BYTES:
            following = index.offsets(index.row_at(offset) + 1, 1)
            end = following[0] if following else end
    if end - offset <= WINDOW_BYTES:
        raw = stream.read(offset, end - offset)
        stop = raw.find(b"\n")
        raw = raw if stop < 0 else raw[:stop]
        return Window(raw, len(raw), True)
    last = stream.read(end - _LAST_STATE_BYTES, _LAST_STATE_BYTES).rstrip(b"\r\n")
    at = last.rfind(b"\r")
    if at >= 0:
        return Window(last[at + 1 :], end - offset, True)
    return Window(stream.read_head(offset, WINDOW_BYTES), end - offset, False)
