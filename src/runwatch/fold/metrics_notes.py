"""Shapes of what people must be told, and of what was read.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

import msgspec


class ErrorGroup(msgspec.Struct, kw_only=True):
    """Recorded errors of one type with one message."""

    error_type: str | None
    """Kind."""
    message: str
    """The text of the first."""
    count: int = 1
    """How many."""
    first_time: str | None = None
    """RFC 3339."""
    step: int | None = None
    """Where it was first."""
    issue: int | str | None = None
    """Where it was first."""
    component: str | None = None
    """Who said it first."""
    where: str | None = None
    """File, function or URL of the first."""


class Notice(msgspec.Struct, kw_only=True):
    """A warning, alert, limit or check."""

    kind: str
    """Wire name of its event."""
    message: str
    """One line for people."""
    time: str | None = None
    """RFC 3339."""
    step: int | None = None
    """Where."""
    rule: str | None = None
    """Of an alert or a limit: its name."""
    success: bool | None = None
    """Of an external truth: whether it was a success."""


class Check(msgspec.Struct, kw_only=True):
    """How what was said compares with what is so, as it was found last."""

    what: str
    """What was checked."""
    verdict: str
    """How they compare, in the checker's word: agrees, verified, differs."""
    source: str | None = None
    """Where the truth came from."""
    time: str | None = None
    """RFC 3339 of the last check."""
    checks: int | None = None
    """So many in a row agreed; None where that is not counted."""


class Question(msgspec.Struct, kw_only=True):
    """A wait for a person."""

    question: str
    """What was asked."""
    answer: str | None = None
    """None when nobody answered."""
    time: str | None = None
    """RFC 3339 of the question."""
    wait_s: float | None = None
    """Seconds; None while it goes on."""


class JournalMetrics(msgspec.Struct, kw_only=True):
    """What was read to make all this."""

    offset: int = 0
    """Bytes of the journal that are covered."""
    events: int = 0
    """Events folded."""
    unreadable: int = 0
    """Lines that are no event."""
    unknown: int = 0
    """Events of types that this version does not know."""
    after_seal: int = 0
    """Lines after the seal: neither acknowledged nor counted in any metric."""
    dropped: int = 0
    """Events that could not be written."""
    lost_log_lines: int = 0
    """Lines of the program's loggers that reached no log."""
    lost_output_bytes: int = 0
    """Bytes of the command's output that reached no log; they passed through all the same."""
    dropped_since: str | None = None
    """RFC 3339 of the first."""
    last_time: str | None = None
    """RFC 3339 of the last event."""
