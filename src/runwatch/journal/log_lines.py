"""One log line and its parts, decided line by line: JSON, logfmt or text.

No file, no clock; never raises, whatever the bytes are.
"""

from __future__ import annotations

from typing import NamedTuple


class LogLine(NamedTuple):
    """The parts of a line; ``text`` is the whole of it."""

    time: float | None
    """Seconds since the epoch as the line says it."""
    level: str | None
    """TRACE, DEBUG, INFO, WARN, ERROR or FATAL; None where the line has none."""
    component: str | None
    """Component or logger named by the line."""
    message: str
    """What is left for reading."""
    fields: tuple[tuple[str, str], ...]
    """Further keys with their values as text, in the order of the line."""
    text: str
    """The line as it is, invalid UTF-8 replaced; not yet safe for a terminal."""
