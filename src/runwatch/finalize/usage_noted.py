"""What earlier checks of a run's usage noted: how many in a row agreed, and whether another one brings anything new.

Must not compare an export with a record, nor note anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from runwatch.events.notices import VerificationChecked
from runwatch.finalize import post
from runwatch.journal.paths import RunPaths
from runwatch.sources.usage_export import UsageExport
from runwatch.units import parse_time


def checks(paths: RunPaths) -> list[VerificationChecked]:
    """Return what was noted since the end, oldest first."""
    return [event for event in post.known(paths) if isinstance(event, VerificationChecked)]


def streak(noted: Sequence[VerificationChecked], export: UsageExport, what: str) -> tuple[int, bool]:
    """Return how many checks of the same in a row agreed before this one, and whether this very export was one of them.

    What the provider says a second time, in a file written after the check before, is another check.
    """
    found = 0
    counted: dict[str | None, float] = {}
    for event in noted:
        if event.what != what:
            continue
        if event.verdict not in ("agrees", "verified"):
            found, counted = 0, {}
            continue
        in_a_row = found + 1 if event.checks is None else event.checks
        if in_a_row > found:
            counted[event.digest] = _noted_s(event)
        found = in_a_row
    return found, export.made_s <= counted.get(export.digest, -math.inf)


def is_known(
    noted: Sequence[VerificationChecked], facts: Sequence[Mapping[str, Any]], export: UsageExport, *, is_repeat: bool
) -> bool:
    """Return whether a check brings nothing that is not noted; its file may have another name by now.

    ``facts``: the fields of its events, the check as a whole last; ``is_repeat``: it agrees, and did so before.
    """
    whole = facts[-1]
    if is_repeat:
        last = next((event for event in reversed(noted) if event.what == whole["what"]), None)
        return last is not None and last.verdict == whole["verdict"]
    told = [{name: value for name, value in fact.items() if name != "source"} for fact in facts]
    before = [
        {name: getattr(event, name) for name in fact} for event, fact in zip(noted[-len(told) :], told, strict=False)
    ]
    return before == told and export.made_s <= _noted_s(noted[-1])


def _noted_s(event: VerificationChecked) -> float:
    """Return when a check was noted, in seconds since the epoch; a line of somebody else's repeats nothing."""
    try:
        return parse_time(event.ts or "").timestamp()
    except (ValueError, OverflowError):
        return -math.inf
