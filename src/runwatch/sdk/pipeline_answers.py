"""What a provider answers about a pipeline, whatever shape it has, as the fields of events.

Must not ask. A provider of the user's may answer with objects or mappings, and with other words for the same state.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from runwatch.events.words import pipeline_state
from runwatch.sdk.plain import text


class Seen(msgspec.Struct, frozen=True):
    """A pipeline as a provider told of it."""

    pipeline_id: int | str
    status: str
    rerun: int
    fields: dict[str, Any]
    """Of the event: commit, trigger, times."""

    @property
    def queued_s(self) -> float | None:
        """Seconds in the queue."""
        return self.fields.get("queued_s")

    @property
    def duration_s(self) -> float | None:
        """Seconds of execution."""
        return self.fields.get("duration_s")


def seen(answer: Any) -> Seen | None:
    """Return what an answer says; None for one that is no pipeline. Raises ValueError where it has no id or state."""
    if answer is None:
        return None
    found_id, status = _said(answer, "pipeline_id", "id"), _said(answer, "status", "state")
    if found_id is None or status is None:
        raise ValueError(f"the provider answered {answer!r:.200}, which has no pipeline_id or no status")
    word = text(status).lower()
    fields = {
        "commit_sha": _said(answer, "commit_sha", "sha"),
        "triggered_by": _said(answer, "triggered_by"),
        "started_at": _said(answer, "started_at"),
        "ended_at": _said(answer, "ended_at", "finished_at"),
        "queued_s": seconds(_said(answer, "queued_s", "queue_time", "queued_duration")),
        "duration_s": seconds(_said(answer, "duration_s", "execution_time", "duration")),
    }
    return Seen(
        found_id if isinstance(found_id, int) and not isinstance(found_id, bool) else text(found_id),
        pipeline_state(word) or word,
        int(seconds(_said(answer, "rerun")) or 1),
        {
            name: value if isinstance(value, float) else text(value)
            for name, value in fields.items()
            if value is not None
        },
    )


def seconds(value: Any) -> float | None:
    """Return a number that is finite and not below zero; None for anything else."""
    try:
        number = None if value is None or isinstance(value, bool) else float(value)
    except Exception:  # noqa: BLE001 - a number of the program's may raise anything
        return None
    return number if number is not None and math.isfinite(number) and number >= 0 else None


def failed_jobs(answer: Any) -> tuple[list[str], str | None]:
    """Return the names of failed jobs, and the kinds of their failures in a line."""
    try:
        jobs = list(answer) if isinstance(answer, Iterable) and not isinstance(answer, str | bytes | Mapping) else []
    except Exception:  # noqa: BLE001 - a list of the program's may raise anything
        jobs = []
    names = [text(job if isinstance(job, str) else _said(job, "name") or job) for job in jobs]
    kinds = dict.fromkeys(text(kind) for job in jobs if not isinstance(job, str) and (kind := _said(job, "reason")))
    return names, ", ".join(kinds) or None


def merge_state(answer: Any) -> tuple[str | None, str | None]:
    """Return the state of a merge request (open, merged, closed, None) and where it can be seen."""
    if answer is None:
        return None, None
    state = answer if isinstance(answer, str) else _said(answer, "state")
    url = None if isinstance(answer, str) else _said(answer, "url", "web_url")
    return None if state is None else text(state).lower(), None if url is None else text(url)


def _said(answer: Any, *names: str) -> Any:
    for name in names:
        value = answer.get(name) if isinstance(answer, Mapping) else getattr(answer, name, None)
        if value is not None:
            return value
    return None
