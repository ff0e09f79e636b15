"""What each of several sources' words about one model call adds to the others.

No I/O, no formatting; must not decide which lines tell of one call (`twins`), or which source counts (`ledger`).
Definitions: metrics.md, "Tokens and prices".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runwatch.fold.call import Call
from runwatch.fold.usage import Raw


class Addition(NamedTuple):
    """What a call lacks that another source knows."""

    call: Call
    raw: Raw | None
    """What it used, with that; as it was where nothing comes to it."""
    pico: int | None
    """What a provider said that it cost, in 10⁻¹² USD; None for nothing new."""
    duration: int | None
    """Microseconds; None for nothing new."""


def additions(calls: Sequence[Call]) -> list[Addition]:
    """Return what the words of several sources about one call add to each of them."""
    found = []
    for call in calls:
        others = [one for one in calls if one is not call]
        pico = None if call.is_said else next((one.pico for one in others if one.is_said), None)
        duration = None
        if call.duration is None:
            duration = next((one.duration for one in others if one.duration is not None), None)
        found.append(Addition(call, _joined_usage(call, others), pico, duration))
    return found


def _joined_usage(call: Call, others: list[Call]) -> Raw | None:
    """Return what a call used, with what other sources know of it: all of it where its own told nothing.

    Else of cached and reasoning tokens the larger number, where the total is the same and they fit into it.
    """
    told = [one for one in (call, *others) if one.counts[5]]
    if not told or (call.counts[5] and len(told) == 1):
        return call.raw
    total = call.counts[5] or max(one.counts[5] for one in told)
    same = [one for one in told if one.counts[5] == total]
    split = next((one for one in same if one.raw is not None and (one.raw[0], one.raw[1]) != (None, None)), None)
    if split is None:
        return call.raw if call.counts[5] else same[0].raw
    prompt, completion = split.counts[:2]
    read, write, thought = (max(one.counts[at] for one in same) for at in (2, 3, 4))
    if read + write > prompt or thought > completion:
        return call.raw if call.counts[5] else split.raw
    return prompt, completion, read, write, thought, total
