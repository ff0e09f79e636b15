"""Events that tell of errors, alerts, checks and of runwatch's own condition.

No clock, no path, no I/O. Source of the fields: record.md, "The journal".
"""

from __future__ import annotations

from typing import Any

import msgspec

from runwatch.events.bounds import Size, Whole
from runwatch.events.envelope import Event


class ErrorRecorded(Event, tag="error"):
    """The program met an error."""

    error_type: str | None = None
    """Kind, such as the exception's name."""
    message: str = ""
    """Its text."""
    where: str | None = None
    """File, function or URL."""


class Warned(Event, tag="warning"):
    """Something is not as it should be, and the run goes on."""

    message: str
    """One line for people."""
    where: str | None = None
    """What noticed it."""


class AlertRaised(Event, tag="alert.raised"):
    """A rule of the configuration was met."""

    rule: str
    """Its name."""
    value: Any = None
    """What was measured."""
    threshold: Any = None
    """What it was held against."""


class LimitReached(Event, tag="limit.reached"):
    """A limit that stops the run was reached."""

    rule: str
    """Its name."""
    value: Any = None
    """What was measured."""
    threshold: Any = None
    """What it was held against."""


class RecorderReplaced(Event, tag="recorder.replaced"):
    """The recorder died and another one took over."""

    reason: str
    """How the former one ended."""


class Degraded(Event, tag="degraded"):
    """Something could not be recorded; each number is the total of one process so far."""

    dropped: Whole
    """How many events."""
    since: str | None = None
    """RFC 3339 time of the first loss."""
    log_lines: Whole = 0
    """Lines of its loggers that reached no log."""
    output_bytes: Size = 0
    """Bytes of the command's output that reached no log."""
    of: str | None = None
    """Writer that lost them, where another one tells of it."""


class VerificationChecked(Event, tag="verification.checked"):
    """A check of what was said against what is so."""

    what: str
    """What was checked."""
    expected: Any = None
    """What was said."""
    observed: Any = None
    """What is so."""
    verdict: str = ""
    """How they compare."""
    source: str | None = None
    """Where the truth came from."""
    checks: Whole | None = None
    """So many checks in a row agreed, this one included where it counts."""
    digest: str | None = None
    """SHA-256 of what it was checked against, hexadecimal."""


class OutcomeVerified(Event, tag="outcome.verified"):
    """The external truth about an issue, or about one agent's last attempt at it."""

    success: bool
    """What is so, whatever was said."""
    source: str = "person"
    """git, forge, ci or person."""
    evidence: str | None = None
    """Where it can be seen."""


class Unknown(msgspec.Struct, gc=False):
    """A line of a type that this version does not know: kept and counted, never an error."""

    type: str
    """Its wire name."""
    ts: str | None = None
    """RFC 3339."""
