"""The table of ``runwatch ls``: one run a line, live ones first as the caller gives them.

Must not find, sort or read runs. Color only when asked for; a run's state is always in words too.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runwatch.units import count, count_short, cut_middle, date_and_time, display_width, duration_short, usd
from runwatch.views.facts import RunRow
from runwatch.views.layout import one_line
from runwatch.views.phrases import outcome

_HEADER = ("RUN", "STATUS", "STARTED", "DURATION", "STEPS", "ERRORS", "TOKENS", "COST", "MODEL")
_RIGHT = frozenset({3, 4, 5, 6, 7})
_LEAVES_FIRST = (8, 6, 5, 4, 2, 7, 3)  # which columns a narrow terminal loses, in this order
_SHORTEST_RUN = 24
_TONES = {"well": "32", "badly": "31", "otherwise": "33"}


def table(rows: Iterable[RunRow], *, width: int | None = None, color: bool = False) -> str:
    """Return the aligned table, header first; empty for no runs.

    ``width`` is the terminal's: columns of least worth are left out and run names cut in the middle until it fits.
    None, for pipes and files, cuts nothing.
    """
    cells = [_cells(row) for row in rows]
    if not cells:
        return ""
    columns = list(range(len(_HEADER)))
    widths = [max(display_width(row[at]) for row in (_HEADER, *cells)) for at in columns]
    if width is not None:
        for at in _LEAVES_FIRST:
            if _total(widths, columns) - widths[0] + min(widths[0], _SHORTEST_RUN) <= width:
                break
            columns.remove(at)
        widths[0] = max(min(widths[0], width - _total(widths, columns) + widths[0]), 8)
    lines = [_line(_HEADER, columns, widths, color=False)]
    lines += [_line(row, columns, widths, color=color) for row in cells]
    return "\n".join(lines) + "\n"


def json_rows(rows: Iterable[RunRow]) -> list[dict[str, object]]:
    """Return what ``ls --json`` prints, under the names of the fields."""
    return [msgspec.to_builtins(row) for row in rows]


def _cells(row: RunRow) -> tuple[str, ...]:
    steps = f"{row.steps_done}/{row.steps_total}" if row.steps_done is not None and row.steps_total else "-"
    started = date_and_time(row.start_time).removesuffix(" UTC") if row.start_time else "-"
    return (
        one_line(f"{row.framework}/{row.run_id}"),
        _status(row),
        one_line(started),
        "-" if row.duration_seconds is None else duration_short(row.duration_seconds),
        steps,
        "-" if row.errors is None else count(row.errors),
        "-" if row.tokens is None else count_short(row.tokens),
        "-" if row.cost_usd is None else usd(row.cost_usd),
        one_line(row.model or "-"),
    )


def _status(row: RunRow) -> str:
    if row.live and row.stalled_s is not None:
        return f"stalled for {duration_short(row.stalled_s)}"
    return "running" if row.live else one_line(row.status or "unknown")


def _total(widths: list[int], columns: list[int]) -> int:
    return sum(widths[at] for at in columns) + 2 * (len(columns) - 1)


def _line(row: tuple[str, ...], columns: list[int], widths: list[int], *, color: bool) -> str:
    parts = []
    for at in columns:
        text = cut_middle(row[at], widths[at])
        gap = " " * (widths[at] - display_width(text))
        tone = _TONES[outcome(row[1])] if at == 1 and color else None
        shown = f"\x1b[{tone}m{text}\x1b[0m" if tone else text
        parts.append(gap + shown if at in _RIGHT else shown + gap)
    return "  ".join(parts).rstrip()
