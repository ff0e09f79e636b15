"""The errors panel: recorded errors grouped, then warnings, alerts and checks, newest first.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from runwatch.fold.metrics import ErrorGroup, JournalMetrics, Metrics, Notice
from runwatch.tui.cells import Column, Line, Piece, blank, clean, heading, line, row
from runwatch.tui.look import DIM, FAILED, WARNING
from runwatch.tui.panels.phrases import time_of_day
from runwatch.units import count
from runwatch.views import phrases
from runwatch.views.layout import plural

_ERRORS = (
    Column("", 1, "left"),
    Column("first", 8, "left", keep=5),
    Column("count", 5, keep=8),
    Column("step", 4, keep=6),
    Column("type", 18, "left", keep=7),
    Column("message", 32, "left", flexible=True),
    Column("component", 12, "left", keep=4),
    Column("where", 18, "left", keep=2),
)
_NOTICES = (
    Column("", 1, "left"),
    Column("time", 8, "left", keep=5),
    Column("step", 4, keep=4),
    Column("kind", 18, "left", keep=6),
    Column("message", 32, "left", flexible=True),
)


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return both tables and what the journal itself has to complain about."""
    rows: list[Line] = []
    if metrics.errors:
        rows += [heading(_ERRORS, width), *(row(_ERRORS, _error(group), width) for group in metrics.errors)]
    notices = [notice for notice in metrics.notices if notice.success is not True]
    if notices:
        rows += [*([blank()] if rows else []), heading(_NOTICES, width)]
        rows += [row(_NOTICES, _notice(notice), width) for notice in reversed(notices)]
    told = _journal(metrics.journal)
    if told:
        rows += [*([blank()] if rows else []), *told]
    return rows


def _error(group: ErrorGroup) -> Sequence[Piece]:
    return (
        (FAILED.glyph, FAILED.style),
        (time_of_day(group.first_time), DIM),
        f"{count(group.count)}×",
        "" if group.step is None else f"{group.step:03d}",
        clean(group.error_type or ""),
        (clean(group.message), FAILED.style),
        clean(group.component or ""),
        (clean(group.where or ""), DIM),
    )


def _notice(notice: Notice) -> Sequence[Piece]:
    return (
        (WARNING.glyph, WARNING.style),
        (time_of_day(notice.time), DIM),
        "" if notice.step is None else f"{notice.step:03d}",
        clean(notice.kind),
        clean(notice.message),
    )


def _journal(journal: JournalMetrics) -> list[Line]:
    facts = []
    if journal.unreadable:
        facts.append(f"unreadable: {plural(journal.unreadable, 'line')} of the journal held no event")
    if journal.unknown:
        facts.append(f"unknown: {plural(journal.unknown, 'event')} of a type that this version does not know")
    if journal.after_seal:
        facts.append(f"after the seal: {plural(journal.after_seal, 'line')}, not counted")
    if phrases.degraded(journal):
        facts.append(clean(phrases.degraded(journal)))
    return [line((f"{WARNING.glyph}  ", WARNING.style), fact) for fact in facts]
