"""How states look: one glyph and one theme color each, the same everywhere in the app.

No metrics are read and nothing is drawn here. Color is never the only sign of a state.
"""

from __future__ import annotations

from typing import NamedTuple

from runwatch.tui.state import Life


class Mark(NamedTuple):
    """The sign of a state."""

    glyph: str
    """One cell."""
    style: str
    """Name of a theme variable."""


DIM = "$rw-dim"
READING = "Reading…"
"""What stands where something will be, until it is known whether there is anything."""
STRONG = "bold"

DONE = Mark("✓", "$rw-done")
RUNNING = Mark("▶", "$rw-running")
PENDING = Mark("·", "$rw-dim")
FAILED = Mark("✗", "$rw-failed")
SKIPPED = Mark("–", "$rw-skipped")
INTERRUPTED = Mark("■", "$rw-warning")
WARNING = Mark("!", "$rw-warning")

_BY_STATUS = {
    None: RUNNING,
    "success": DONE,
    "completed": DONE,
    "resolved": DONE,
    "merged": DONE,
    "closed": DONE,
    "skipped": SKIPPED,
    "canceled": SKIPPED,
    "interrupted": INTERRUPTED,
    "timeout": FAILED,
}

_BY_LIFE = {
    Life.OPENING: Mark("○", "$rw-dim"),
    Life.RUNNING: Mark("●", "$rw-running"),
    Life.WAITING: Mark("◐", "$rw-waiting"),
    Life.STOPPING: Mark("◐", "$rw-warning"),
    Life.STALLED: Mark("!", "$rw-warning"),
    Life.UNFOLDED: Mark("!", "$rw-warning"),
    Life.FINALIZING: Mark("◐", "$rw-running"),
    Life.UNFINISHED: Mark("!", "$rw-warning"),
    Life.DEAD: Mark("✗", "$rw-failed"),
    Life.GONE: Mark("✗", "$rw-failed"),
}


def of_status(status: str | None) -> Mark:
    """Return the mark of a step, issue, pipeline or run; None goes on, an unknown word is a failure."""
    return _BY_STATUS.get(status, FAILED)


def of_life(life: Life, status: str | None) -> Mark:
    """Return the mark of a run: of its life while it goes on, of its status once it has ended."""
    if life in (Life.ENDED, Life.UNCOMMITTED):
        return of_status(status or "completed")
    return _BY_LIFE[life]
