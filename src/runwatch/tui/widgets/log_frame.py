"""What the log view asks of its reader, and what it gets: plain values that go between two threads.

No behavior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the first frame does not wait for what reads logs
    from runwatch.journal.log_hits import Pattern
    from runwatch.journal.log_source import LineKey, LogSource, Row


@dataclass(frozen=True)
class Want:
    """What the view wants to see. With ``anchor`` rows count from that line, wherever it has moved meanwhile."""

    height: int
    """Rows in sight."""
    end: bool = True
    """The newest lines, as they come."""
    anchor: LineKey | None = None
    """The line that ``top`` counts from."""
    top: int = 0
    """First row in sight, or its distance from the anchor."""
    cursor: LineKey | None = None
    """The line that the cursor stands on."""
    wrapped: bool = False
    """Whether rows take several lines: the last one may be the first in sight then."""


@dataclass(frozen=True)
class Frame:
    """Everything that is needed to draw a view, as it was at one moment."""

    source: LogSource
    """Whose."""
    want: Want
    """What was asked for."""
    rows: list[Row]
    """Lines in sight with a page above and below."""
    first: int
    """Row of the first of them."""
    top: int
    """First row in sight."""
    cursor: int | None
    """Row of the line that the cursor stands on, where it is still there."""
    row_count: int
    """Lines in the source."""
    line_count: int
    """Lines of its logs, those below the level that is shown included."""
    exact: bool
    """Whether all were counted."""
    errors: int
    """Lines of level ERROR and above."""
    components: tuple[str, ...]
    """Names of the logs."""
    pattern: Pattern | None
    """What was looked for."""
    hits: int
    """Lines that the search found so far."""
    searched: bool
    """Whether the search has seen all."""
    looking: bool
    """Whether the next hit is being looked for."""


@dataclass(frozen=True)
class Look:
    """A line to be found and stood on."""

    key: LineKey | None = None
    """From where to look; None: from the end when going back, else from the beginning."""
    forward: bool = True
    """Which way."""
    what: Literal["hit", "error", "line", "time"] = "hit"
    """What the search found, a line of level ERROR and above, the line itself or its neighbor, the first of a time."""
    time: float = 0.0
    """That time, in seconds since the epoch."""


@dataclass(frozen=True)
class Found:
    """What came of looking for a line."""

    look: Look
    """For which."""
    key: LineKey | None
    """The line; None: there is none."""
    wrapped: bool = False
    """Found only after going on from the other side."""
