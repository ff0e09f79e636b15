"""The envelope that every event carries.

No clock, no path, no I/O. Source of the fields: record.md, "The journal".
"""

from __future__ import annotations

import msgspec

from runwatch.events.bounds import Seconds, Size, StepNumber


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """One line of the journal. Only ``type`` (the tag, first on the wire) is demanded of a foreign writer."""

    ts: str | None = None
    """RFC 3339, UTC, microseconds; a foreign line without one has that of the line before."""
    step: StepNumber | None = None
    """Number of the step it belongs to, from 1."""
    issue: int | str | None = None
    """Id of the issue it belongs to; compared as text."""
    agent: str | None = None
    """Role that was at work."""
    component: str | None = None
    """Who logged it."""
    call_id: str | None = None
    """Pairs what starts with what ends."""
    writer: str | None = None
    """Random, one a process."""
    seq: Size | None = None
    """Running number within the writer, from 1."""
    pid: Size | None = None
    """Process id of the writer."""
    mono: Seconds | None = None
    """Seconds of the writer's monotonic clock, comparable within one boot."""


def event_type(event: type[Event] | Event) -> str:
    """Return the wire name (``"step.started"``) of an event or event class."""
    tag = event.__struct_config__.tag
    return str(tag)
