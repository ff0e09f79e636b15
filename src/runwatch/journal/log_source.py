"""The seam between logs and those who show them: rows by number, from one file or from many.

No file is opened here; merged_logs.py holds the source that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from runwatch.journal.log_hits import Matcher
    from runwatch.journal.log_lines import LogLine
    from runwatch.journal.log_record import Record
    from runwatch.journal.log_search import LogSearch
    from runwatch.journal.log_tail import LogTail


class LineKey(NamedTuple):
    """What a line is, wherever it stands: stays the same while rows above it come and go."""

    log: int
    """Which log of the run: a number that is its own for as long as the run is watched."""
    epoch: int
    """How often that log began anew (truncation)."""
    offset: int
    """Byte at which the line begins."""


class Row(NamedTuple):
    """One line of a source, ready to be drawn."""

    key: LineKey
    """Which line."""
    component: str
    """Who wrote it, by its file."""
    time: float | None
    """Seconds since the epoch: its own, else when it arrived; None when neither is known."""
    line: LogLine
    """Its parts."""
    size_bytes: int
    """Length of the line; more than what ``line`` holds where only a window was read."""
    folded: bool = False
    """Redrawn with carriage returns: only its last state is in ``line``."""


class LogSource(Protocol):
    """Lines in one order, addressed by row. Every method may read files: never call one on the event loop."""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the logs, in the order of ties."""

    @property
    def row_count(self) -> int:
        """Rows known now; an estimate while ``exact`` is False."""

    @property
    def line_count(self) -> int:
        """Lines of the logs, whether or not they are rows here."""

    @property
    def exact(self) -> bool:
        """True once every line has been counted."""

    @property
    def errors(self) -> int:
        """Lines of level ERROR and above found so far."""

    @property
    def generation(self) -> int:
        """Changes whenever a row may show something else than before."""

    def advance(self, budget_s: float) -> bool:
        """Look at the files and spend at most about ``budget_s`` on work in the background; with 0 on none at all.

        Returns True when more such work is left.
        """

    def stirred(self) -> bool:
        """Tell whether ``advance`` may find something: of logs at rest one look at each file, and no more."""

    def rows(self, start: int, count: int) -> list[Row]:
        """Return up to ``count`` rows from ``start`` on; fewer at the end."""

    def record(self, key: LineKey) -> Record | None:
        """Return the whole record that a line belongs to; None when it is gone."""

    def row_of(self, key: LineKey) -> int | None:
        """Return the row at which a line stands now; None when it is gone."""

    def row_at_time(self, time: float) -> int:
        """Return the first row whose time is not before ``time``, in seconds since the epoch."""

    def from_level(self, level: str) -> LogSource:
        """Return the same logs without the lines below a level, one of LEVELS; one that says none goes with the above.

        What is far from the end is found in the background: until ``exact``, rows are those found so far.
        """

    def search(self, matcher: Matcher) -> LogSearch:
        """Begin a search over the logs as they are; call its methods between ``advance`` and ``rows``."""

    def tail(self, since: float | None = None) -> LogTail:
        """Return the lines one after the other, each once, from a time (seconds since the epoch) or from the first."""

    def notices(self) -> list[str]:
        """Return, once, what happened to the files since the last call: one sentence each."""
