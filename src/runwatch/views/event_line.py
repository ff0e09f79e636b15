"""The readable log line of each event, in the component it belongs to, so that a program that only emits has logs too.

Must not write a log, nor know where one lies. Source: record.md, "Logs".
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from runwatch.events import Event, event_type
from runwatch.views.event_phrases import PHRASES, Level, usage

_SAFE_COMPONENT = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_TAKEN = frozenset({".", "..", "csv", "stdout", "stderr", "run"})  # reserved, or the bytes of somebody else
_encoder = msgspec.json.Encoder(enc_hook=str)


class ProjectedLine(NamedTuple):
    """One line of one component's log."""

    component: str
    """Which log it belongs to; safe as a file name."""
    level: Level
    """As the logging module names it."""
    message: str
    """What happened and its values as ``key=value``; not yet made visible."""


def render(event: Event) -> ProjectedLine | None:
    """Return the line of an event, the first one where it has two; None where it leaves none."""
    lines = render_all(event)
    return lines[0] if lines else None


def render_all(event: object) -> tuple[ProjectedLine, ...]:
    """Return every line of an event: a model's answer has one in ``adapter`` and one in ``metrics`` (its tokens).

    ``metric.observed``, ``resource.sample`` and what is no known event leave none. A component that the event itself
    names wins for the first line, unless it cannot be a log of its own.
    """
    if not isinstance(event, Event):
        return ()
    phrase = PHRASES.get(event_type(event))
    if phrase is None:
        return ()
    component, make = phrase
    level, message = make(event)
    named = event.component
    if named and _SAFE_COMPONENT.match(named) and named.lower() not in _TAKEN:
        component = named
    first = ProjectedLine(component, level, message)
    tokens = usage(event)
    return (first,) if tokens is None else (first, ProjectedLine("metrics", "INFO", tokens))


def encode(
    event: Event, line: ProjectedLine, *, run_id: str | None = None, ts: str | None = None, at: int | None = None
) -> bytes:
    """Return the JSON log line of what render() gave, line feed included, its keys in the order of SDK log lines.

    ``ts`` stands in where the event has no time of its own: that of the event before. ``at`` is the position behind the
    event in the journal, by which the next recorder knows what is projected already.
    """
    record: dict[str, Any] = {
        "ts": event.ts or ts,
        "level": line.level,
        "component": line.component,
        "logger": "runwatch",
        "msg": line.message,
        "step": event.step,
        "issue": event.issue,
        "run_id": run_id,
        "agent": event.agent,
        "event": event_type(event),
        "at": at,
    }
    return _encoder.encode({key: value for key, value in record.items() if value is not None}) + b"\n"
