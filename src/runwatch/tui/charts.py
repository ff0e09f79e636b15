"""Numbers as pictures made of block characters: sparklines, areas, bars.

No units, no colors, no metrics: values in, text of a fixed width out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

EIGHTHS = " ▁▂▃▄▅▆▇█"
BAR_FULL, BAR_HEAD, BAR_REST = "━", "╸", "━"


def resample(values: Sequence[float], width: int) -> list[float]:
    """Return at most ``width`` means of equally many neighbors each, oldest first.

    Groups begin at the first value, so that what was drawn stays where it is while values are added.
    """
    if width <= 0 or not values:
        return []
    each = -(-len(values) // width)
    groups = [values[start : start + each] for start in range(0, len(values), each)]
    return [sum(group) / len(group) for group in groups]


def bridged(values: Sequence[float], sampled: Sequence[float]) -> list[float]:
    """Return the values with those that were not sampled (0 in ``sampled``) as high as the ones before them."""
    shown: list[float] = []
    for value, sign in zip(values, sampled, strict=False):
        shown.append(value if sign else shown[-1] if shown else 0.0)
    return shown


def sparkline(values: Sequence[float], width: int) -> str:
    """Return one row of ``width`` cells; a value above zero is never invisible, no values are blanks."""
    return "".join(text for text, _ in area(values, width, 1)[0])


def area(values: Sequence[float], width: int, height: int) -> list[list[tuple[str, bool]]]:
    """Return ``height`` rows of ``width`` cells as runs of (text, whether it is the upper edge of the area).

    The largest value is as high as all rows; the oldest is at the left.
    """
    points = resample(values, width)
    top = max(points, default=0.0)
    steps = height * 8
    levels = [0 if top <= 0 or value <= 0 else max(1, round(value / top * steps)) for value in points]
    levels += [0] * (width - len(levels))
    return [_row([level - number * 8 for level in levels]) for number in range(height - 1, -1, -1)]


def _row(levels: Sequence[int]) -> list[tuple[str, bool]]:
    """Return one row: what reaches above it is filling, what ends in it is edge."""
    cells = ((EIGHTHS[min(8, max(0, level))], level <= 8) for level in levels)
    return [("".join(mark for mark, _ in group), edge) for edge, group in groupby(cells, key=itemgetter(1))]


def axis(count: int, width: int, end: str) -> str:
    """Return a line under an area of ``count`` values: from 0:00 to ``end`` where the last column stands."""
    used = len(resample([0.0] * count, width))
    start = "0:00 "
    if used < len(start) + len(end) + 3:
        return start.ljust(width)
    return f"{start}{'─' * (used - len(start) - len(end) - 1)} {end}".ljust(width)


def bar(ratio: float, width: int) -> str:
    """Return a thin bar for a ratio of 0 to 1, padded to ``width`` cells; more than nothing is never invisible."""
    done, _ = progress(ratio, width)
    return (done or (BAR_HEAD if ratio > 0 else "")).ljust(width)


def progress(ratio: float, width: int) -> tuple[str, str]:
    """Return the done part and the rest of a thin progress bar of ``width`` cells."""
    halves = int(max(0.0, min(1.0, ratio)) * width * 2)
    whole, half = divmod(halves, 2)
    done = BAR_FULL * whole + (BAR_HEAD if half else "")
    return done, BAR_REST * (width - len(done))


def split(counts: Sequence[int], width: int) -> list[int]:
    """Share ``width`` cells among counts in proportion; each count above zero gets one at least."""
    total = sum(counts)
    if not total or width <= 0:
        return [0] * len(counts)
    cells = [max(1, count * width // total) if count else 0 for count in counts]
    while sum(cells) > width and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    if sum(cells) < width:
        cells[cells.index(max(cells))] += width - sum(cells)
    return cells
