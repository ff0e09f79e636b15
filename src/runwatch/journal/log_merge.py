"""Several logs merged by time, with random access: any row at once, without an object for each line.

A row is found by counting: how many lines of each log have a time up to T follows from the block tables and from one
parsed block a log; a search over T finds the place, and only there lines are merged one by one. Ties are in the order
of the logs. Must not draw or parse lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from math import inf, nextafter

from runwatch.journal.log_cursor import Cursor, Place
from runwatch.journal.log_rows import RowIndex

_WALK_ROWS = 400
"""A place this near is walked to line by line rather than searched for."""


def row_total(logs: Sequence[RowIndex]) -> int:
    """Return how many rows the logs have together."""
    return sum(_ends(logs))


def places(logs: Sequence[RowIndex], start: int, count: int) -> list[Place]:
    """Return the lines of up to ``count`` rows from ``start`` on, in their merged order."""
    total = row_total(logs)
    count = min(count, total - start)
    if start < 0 or count <= 0:
        return []
    if len(logs) == 1:
        return walk(logs, [start], count, [total])
    if total - start <= _WALK_ROWS:
        return _walk_back(logs, _ends(logs), total - start)[:count]
    skipped, cut = _cut(logs, start)
    return walk(logs, cut, start - skipped + count, _ends(logs))[start - skipped :]


def row_of(logs: Sequence[RowIndex], log: int, offset: int) -> int:
    """Return the row at which the line of one log that begins at an offset stands among all."""
    if len(logs) == 1:
        return logs[0].order.row_of(offset)
    time = logs[log].time_at(offset)
    earlier = nextafter(time, -inf)
    row = logs[log].order.row_of(offset)
    for number, other in enumerate(logs):
        if number != log:
            row += other.order.lines_until(time if number < log else earlier)
    return row


def cut_at_time(logs: Sequence[RowIndex], time: float) -> list[int]:
    """Return for each log how many of its lines count with a time before ``time``."""
    earlier = nextafter(time, -inf)
    return [log.order.lines_until(earlier) for log in logs]


def cut_at_row(logs: Sequence[RowIndex], row: int) -> list[int]:
    """Return for each log how many of its lines stand in front of a row."""
    if len(logs) == 1:
        return [row]
    if row >= row_total(logs):
        return _ends(logs)
    skipped, cut = _cut(logs, row)
    for place in walk(logs, cut, row - skipped, _ends(logs)):
        cut[place.log] += 1
    return cut


def _ends(logs: Sequence[RowIndex]) -> list[int]:
    return [log.row_count for log in logs]


def _cut(logs: Sequence[RowIndex], row: int) -> tuple[int, list[int]]:
    """Return (rows in front, lines of each log in front) for a place at or a little before ``row``."""
    low, high = 0.0, max(log.order.latest_time() for log in logs)
    while True:
        middle = (low + high) / 2
        if middle <= low or middle >= high:
            break
        bounds = [log.order.bounds_until(middle) for log in logs]
        if sum(least for least, _ in bounds) > row:
            high = middle
        elif sum(most for _, most in bounds) <= row:
            low = middle
        else:
            counts = [log.order.lines_until(middle) for log in logs]
            skipped = sum(counts)
            if skipped > row:
                high = middle
            elif row - skipped <= _WALK_ROWS:
                return skipped, counts
            else:
                low = middle
    return _cut_among_equals(logs, row, low, high)


def _cut_among_equals(logs: Sequence[RowIndex], row: int, low: float, high: float) -> tuple[int, list[int]]:
    """Place the cut where all lines around it have the same time, ``high``: there logs come one after the other."""
    counts = [log.order.lines_until(low) for log in logs]
    rest = row - sum(counts)
    for number, log in enumerate(logs):
        equal = min(log.order.lines_until(high) - counts[number], rest)
        counts[number] += equal
        rest -= equal
    return row - rest, counts


def walk(logs: Sequence[RowIndex], cut: Sequence[int], count: int, stop: Sequence[int]) -> list[Place]:
    """Return up to ``count`` lines behind a cut, in order; of each log none from line ``stop`` on."""
    cursors = [Cursor(log, number, cut[number]) for number, log in enumerate(logs) if cut[number] < stop[number]]
    left = [last - first for first, last in zip(cut, stop, strict=True)]
    heads = [place for cursor in cursors if (place := cursor.following())]
    by_log = {cursor.log: cursor for cursor in cursors}
    heapify(heads)
    found: list[Place] = []
    while heads and len(found) < count:
        place = heads[0]
        found.append(place)
        cursor = by_log[place.log]
        cursor.forward()
        left[place.log] -= 1
        following = cursor.following() if left[place.log] > 0 else None
        heapreplace(heads, following) if following else heappop(heads)
    return found


def _walk_back(logs: Sequence[RowIndex], cut: Sequence[int], count: int) -> list[Place]:
    """Return up to ``count`` lines in front of a cut, in order."""
    cursors = [Cursor(log, number, cut[number]) for number, log in enumerate(logs)]
    heads = [(-place.time, -place.log, place) for cursor in cursors if (place := cursor.preceding())]
    heapify(heads)
    found: list[Place] = []
    while heads and len(found) < count:
        place = heads[0][2]
        found.append(place)
        cursor = cursors[place.log]
        cursor.back()
        preceding = cursor.preceding()
        heapreplace(heads, (-preceding.time, -preceding.log, preceding)) if preceding else heappop(heads)
    found.reverse()
    return found
