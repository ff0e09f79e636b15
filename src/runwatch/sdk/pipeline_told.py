"""What a program tells of a CI attempt by hand, as the fields of its event.

Must not emit. A value that cannot be meant is left out and complained of: the attempt counts all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from runwatch.sdk import pipeline_answers
from runwatch.sdk.plain import shown, text

_SECONDS = {
    "queued_s": ("queue_time", "queued_s", "queued_duration"),
    "duration_s": ("execution_time", "duration_s", "duration"),
}
"""Field → what programs call it, the first that is there counts: ``duration`` may be queue and execution together."""
_TEXTS = ("error_type", "triggered_by", "commit_sha")
_TIMES = ("started_at", "ended_at")


def fields_of(more: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields, and what is wrong with those that were left out."""
    given = {name: value for name, value in more.items() if value is not None}
    fields: dict[str, Any] = {}
    wrong: list[str] = []
    for field, names in _SECONDS.items():
        for name, value in [(name, given.pop(name)) for name in names if name in given]:
            number = pipeline_answers.seconds(value)
            if number is None:
                wrong.append(f"{name} {shown(value)} is no number of seconds")
            else:
                fields.setdefault(field, number)
    if "failed_jobs" in given:
        jobs = given.pop("failed_jobs")
        fields["failed_jobs"] = _jobs(jobs)
        if not isinstance(jobs, Iterable):
            wrong.append(f"failed_jobs {shown(jobs)} is no list of names")
    if "attempt" in given:
        attempt = given.pop("attempt")
        if isinstance(attempt, int) and not isinstance(attempt, bool) and attempt > 0:
            fields["attempt"] = attempt
        else:
            wrong.append(f"attempt {shown(attempt)} is no number of an attempt")
    rerun = given.get("rerun", 1)
    if not isinstance(rerun, int | str):
        wrong.append(f"rerun {shown(given.pop('rerun'))} is no number of a rerun")
    for name in (*_TEXTS, *_TIMES):
        if name in given:
            value = given.pop(name)
            fields[name] = value.astimezone().isoformat() if isinstance(value, datetime) else text(value)
    return {**given, **fields}, wrong


def _jobs(jobs: Any) -> list[str]:
    return pipeline_answers.failed_jobs([jobs] if isinstance(jobs, str | Mapping) else jobs)[0]
