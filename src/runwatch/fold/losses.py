"""What a run could not record: ``degraded`` events added up over the processes that lost something.

No I/O, no clock. Each event tells the totals of one process, so that one that is told twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from runwatch.events.notices import Degraded
from runwatch.fold.clock import canonical_time
from runwatch.fold.metrics import Metrics
from runwatch.fold.metrics_notes import JournalMetrics
from runwatch.units import count, size

Losses = Mapping[str | None, Degraded]
"""Writer to what it lost."""


def writer_of(event: Degraded) -> str | None:
    """Return who lost what the event tells of."""
    return event.of or event.writer


def more(former: Degraded | None, event: Degraded) -> Degraded:
    """Return the larger totals of two events of one writer, with the earlier time."""
    if former is None:
        return event
    return msgspec.structs.replace(
        event,
        dropped=max(former.dropped, event.dropped),
        log_lines=max(former.log_lines, event.log_lines),
        output_bytes=max(former.output_bytes, event.output_bytes),
        since=_first(former.since, event.since),
    )


def untold(told: Losses, event: Degraded) -> bool:
    """Whether an event says more than is known of its writer."""
    former = told.get(writer_of(event))
    if former is None:
        return True
    pairs = ((former.dropped, event.dropped), (former.log_lines, event.log_lines))
    return any(old < new for old, new in (*pairs, (former.output_bytes, event.output_bytes)))


def with_losses(journal: JournalMetrics, told: Losses, also: Iterable[Degraded] = ()) -> JournalMetrics:
    """Return the metrics of the record with all losses: those that the journal tells of, and ``also`` others."""
    known = dict(told)
    for event in also:
        known[writer_of(event)] = more(known.get(writer_of(event)), event)
    return msgspec.structs.replace(
        journal,
        dropped=sum(event.dropped for event in known.values()),
        lost_log_lines=sum(event.log_lines for event in known.values()),
        lost_output_bytes=sum(event.output_bytes for event in known.values()),
        dropped_since=_first(*(event.since for event in known.values())),
    )


def _first(*times: str | None) -> str | None:
    return min((time for time in times if time), key=lambda time: canonical_time(time) or time, default=None)


def overlaid(metrics: Metrics, told: Losses, also: Iterable[Degraded]) -> Metrics:
    """Return the metrics of a run that goes on with the losses that no event of it tells of yet."""
    found = list(also)
    if not found:
        return metrics
    return msgspec.structs.replace(metrics, journal=with_losses(metrics.journal, told, found))


def in_words(loss: Degraded | JournalMetrics) -> str:
    """Return ``12 events, 3 log lines and 9.5 MiB of output lost``: what is none is left out."""
    lines, output = (
        (loss.log_lines, loss.output_bytes)
        if isinstance(loss, Degraded)
        else (loss.lost_log_lines, loss.lost_output_bytes)
    )
    parts = [_many(loss.dropped, "event") + " dropped"] if loss.dropped else []
    parts += [_many(lines, "log line") + " lost"] if lines else []
    parts += [f"{size(output)} of output not logged"] if output else []
    return ", ".join(parts) or "0 events dropped"


def _many(number: int, what: str) -> str:
    return f"{count(number)} {what}" if number == 1 else f"{count(number)} {what}s"
