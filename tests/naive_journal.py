"""Reading a journal the plain way, for the second implementation of the metrics: JSON lines to a list of dicts.

Must not import anything of the project: what both had in common could be wrong in both. Source: record.md, "The
journal".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

Bead = dict[str, Any]
"""An event as it stood on its line, and below ``_ts`` the time that it has; its place in the list is its order."""

CLOSE = "(close)"
"""Type of the bead where all that goes on is ended: the seal, and after each event that became known later."""

NEEDED: dict[str, tuple[str, ...]] = {
    "run.started": ("framework", "run_id"), "run.configured": (), "run.completed": ("status",),
    "status.proposed": ("status",), "steps.planned": ("total",), "step.started": (), "step.completed": (),
    "issue.started": (), "issue.completed": (), "hitl.requested": ("question",), "hitl.answered": (),
    "llm.started": (), "llm.retry": (), "llm.completed": (), "llm.priced": ("ref",), "tool.started": ("tool",),
    "tool.completed": ("tool",), "service.started": ("service",), "service.completed": ("service",),
    "service.retry": (), "service.health": ("service", "healthy"), "agent.started": (), "agent.completed": (),
    "pipeline.started": ("pipeline_id",), "pipeline.completed": ("pipeline_id",), "debug.started": (),
    "debug.attempt": (), "debug.completed": (), "task.completed": (), "tasks.state": (), "dispatch.cycle": (),
    "git.snapshot": (), "git.operation": (), "coverage.measured": ("percent",), "tests.measured": (),
    "resource.sample": (), "metric.observed": ("name", "value"), "error": (), "warning": ("message",),
    "alert.raised": ("rule",), "limit.reached": ("rule",), "recorder.replaced": ("reason",),
    "degraded": ("dropped",), "verification.checked": ("what",), "outcome.verified": ("success",),
}  # fmt: skip
"""Every type, and the fields without which it says nothing."""

NUMBERS = {"step", "seq", "attempt", "prompt_tokens", "completion_tokens", "total_tokens", "retries", "duration_s"}
"""Fields that a shell script may have written as text."""


MOST = {**dict.fromkeys(NUMBERS - {"seq", "duration_s", "step"}, 1e12), "duration_s": 1e10, "mono": 1e10}
"""What a number may be; a larger one was not meant."""


def text(value: Any) -> str | None:
    """Ids are compared as text."""
    return None if value is None else str(value)


def moment(value: Any) -> datetime | None:
    """The time that an RFC 3339 text tells, None for what is no time."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def written(value: datetime | None) -> str | None:
    """A time as the journal writes it."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def between(start: str | None, end: str | None) -> int | None:
    """Microseconds between two times, never negative."""
    first, last = moment(start), moment(end)
    return None if first is None or last is None else max(0, (last - first) // timedelta(microseconds=1))


def gap(start: Bead, end: Bead) -> int | None:
    """Microseconds between two events: by the monotonic clock of one writer, else by their times."""
    ours = start.get("writer") is not None and start.get("writer") == end.get("writer")
    if ours and start.get("mono") is not None and end.get("mono") is not None:
        return max(0, round((end["mono"] - start["mono"]) * 1e6))
    return between(start["_ts"], end["_ts"])


def said(bead: Bead, name: str = "duration_s") -> int | None:
    """Microseconds that an event says itself."""
    value = bead.get(name)
    return round(value * 1e6) if value is not None and 0 <= value < 1e12 else None


def rate(part: int, whole: int) -> float | None:
    """Percent with two digits; of nothing there is none."""
    return round(100 * part / whole, 2) if whole else None


def well(status: str | None) -> bool:
    """Ended well."""
    return (status or "").lower() in ("success", "completed", "resolved", "merged", "closed")


def row_of(values: Bead, *hidden: str) -> Bead:
    """What of a row is shown."""
    return {key: value for key, value in values.items() if key not in hidden}


def parse(line: bytes) -> Bead | None:
    """The event of a line, None where it is none."""
    try:
        bead = json.loads(line)
    except ValueError:
        return None
    if not isinstance(bead, dict) or not isinstance(bead.get("type"), str):
        return None
    if bead["type"] in NEEDED:
        if any(name not in bead for name in NEEDED[bead["type"]]):
            return None
        for name in NUMBERS & bead.keys():
            if isinstance(bead[name], str):
                try:
                    bead[name] = float(bead[name]) if name == "duration_s" else int(bead[name])
                except ValueError:
                    return None
        if isinstance(bead.get("step"), int) and not 0 <= bead["step"] <= 10**6:
            bead["step"] = None  # no number of a step: the rest counts
        if any(isinstance(bead.get(name), int | float) and abs(bead[name]) > most for name, most in MOST.items()):
            return None
    return bead


def read(lines: list[bytes], post: list[bytes]) -> tuple[list[Bead], Bead]:
    """All events that count, in order and each with a time, and what was read."""
    counts: Bead = {"offset": 0, "events": 0, "unreadable": 0, "unknown": 0, "after_seal": 0, "last_time": None}
    beads: list[Bead] = []
    now: str | None = None
    seal: Bead | None = None
    for line in lines:
        counts["offset"] += len(line)
        if not line.strip():
            continue
        if seal is not None:
            counts["after_seal"] += 1
            continue
        bead = parse(line)
        if bead is None:
            counts["unreadable"] += 1
            bead = _hidden(line)
            if bead is None:
                continue
        now = written(moment(bead.get("ts"))) or now
        if bead["type"] not in NEEDED:
            counts["unknown"] += 1
            continue
        counts["events"] += 1
        beads.append({**bead, "_ts": now})
        first = next((each for each in beads if each["type"] == "run.started"), {})
        ours = bead.get("writer") is not None or first.get("writer") is None
        if bead["type"] == "run.completed" and ours:
            seal = beads[-1]
            beads.append({**seal, "type": CLOSE})
    counts["last_time"] = now if seal is None else seal["_ts"]
    for line in post:
        bead = parse(line)
        if bead is None or bead["type"] in ("run.started", "run.completed"):
            continue
        if bead["type"] not in NEEDED:
            counts["unknown"] += 1
            continue
        now = written(moment(bead.get("ts"))) or now
        beads.append({**bead, "_ts": now})
        if seal is not None:
            beads.append({**beads[-1], "type": CLOSE})
    ids: dict[str, Any] = {}
    for bead in beads:  # 7 and "7" are one issue, shown as it was written first
        bead["_issue"] = bead.get("issue")
        if bead["_issue"] is not None:
            bead["issue"] = ids.setdefault(str(bead["_issue"]), bead["_issue"])
    return beads, counts


def _hidden(line: bytes) -> Bead | None:
    """The whole event behind a torn one."""
    at = line.rfind(b'{"type":')
    while at > 0:
        bead = parse(line[at:])
        if bead is not None:
            return bead
        at = line.rfind(b'{"type":', 0, at)
    return None
