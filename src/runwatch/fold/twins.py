"""Which lines of different sources tell of one model call without saying so.

No I/O, no formatting; counts nothing: which source counts, the ledger says. Definitions: metrics.md, "Tokens and
prices".

Two lines of different sources tell of one call when they are of one model (``family``), not both with a request id, and
- they are of one issue and agent, and the same tokens were used: the same total, what was cached left out by one of
  them or not, the same output; or else
- the same tokens were used, by a success, and one of them names no agent, and the other one's issue or none: a call
  tracked outside of any agent, whose usage was recorded for one. It is that agent's then; or else
- they are of one issue and agent, one of them, a success, tells no tokens, and the other is the last call there, and no
  call is under way there.
A line that names no model is of the model of the call that it tells of, else of the one that is under way.
Of several calls that fit the last one is meant. Calls further back than ``_RECENT`` are not looked at.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from runwatch.events.calls import LlmCompleted, LlmStarted
from runwatch.fold.call import Call
from runwatch.fold.clock import Moment
from runwatch.fold.contest import Contest, Place
from runwatch.fold.facts import Names
from runwatch.fold.identity import OpenCalls, place_of
from runwatch.fold.ledger import Cell
from runwatch.fold.remembered import RememberedCalls
from runwatch.fold.usage import Raw, normalized

_RECENT = 1024
_order = attrgetter("order")
_Where = tuple[str | None, ...]
"""Issue and agent; issue and any agent; or, empty, any issue and agent."""


class _Line:
    """What tells one source's word of a call from others."""

    __slots__ = ("completion", "has_id", "is_well", "number", "source", "total", "uncached")

    def __init__(self, number: int, source: str, raw: Raw | None, *, has_id: bool, is_well: bool) -> None:
        counts = normalized(raw)
        self.number = number
        self.source = source
        self.has_id = has_id
        self.is_well = is_well
        self.total = counts[5]
        self.uncached = counts[5] - counts[2] - counts[3]
        self.completion = counts[1] if raw is not None and raw[1] is not None else None

    def is_same(self, other: _Line) -> bool:
        """Return whether both used the same tokens, and some."""
        if not self.total or not other.total:
            return False
        totals = self.total == other.total or self.total == other.uncached or self.uncached == other.total
        return totals and (None in (self.completion, other.completion) or self.completion == other.completion)


class _Kind(NamedTuple):
    """What of a group decides which lines it may still take."""

    family: str | None
    sources: frozenset[str]
    has_id: bool
    is_well: bool
    """Whether the call succeeded, as far as is told."""

    def takes(self, line: _Line, contest: Contest | None) -> bool:
        """Return whether a line may be one more about such a call, whatever it used."""
        is_family = contest is None or contest.family == self.family
        return is_family and line.source not in self.sources and not (line.has_id and self.has_id)


class _Group:
    """The lines of one call, one of each source."""

    __slots__ = ("family", "kind", "lines", "model", "order", "place")

    def __init__(self, order: int, cell: Cell) -> None:
        self.order = order
        self.place = cell.contest.place
        self.family = cell.contest.family
        self.model = cell.model
        self.lines: list[_Line] = []
        self.kind = _Kind(self.family, frozenset(), has_id=False, is_well=True)

    @property
    def keys(self) -> set[tuple[_Where, int]]:
        """Where it is found by tokens."""
        where: list[_Where] = [self.place]
        if self.place[1] is not None:
            where += [self.place[:1], ()]
        totals = {total for line in self.lines for total in (line.total, line.uncached) if line.total}
        return {(each, total) for each in where for total in totals}


class Twins:
    """The last calls, to be found by issue, agent and tokens."""

    __slots__ = ("_by_call", "_by_total", "_calls", "_groups", "_here", "_open", "is_needed")

    def __init__(self, calls: RememberedCalls, under_way: OpenCalls[tuple[LlmStarted, Moment]]) -> None:
        self._calls = calls
        self._open = under_way
        self.is_needed = False
        """Whether another source than the SDK has told of a call; until then nothing is done."""
        self._groups: deque[_Group] = deque()
        self._by_call: dict[int, _Group] = {}
        self._by_total: dict[tuple[_Where, int], dict[_Kind, list[_Group]]] = {}
        """Each list in order. By kind, since of calls that are all alike nearly none can take a line any more."""
        self._here: dict[Place, list[_Group]] = {}
        """In order too."""

    def names(self, event: LlmCompleted, raw: Raw | None) -> Names:
        """Return provider and model for a line that names no model: those of the call that it tells of, if any."""
        self._begin()
        place = place_of(event)[1:]
        line = _Line(
            -1, event.source or "sdk", raw, has_id=event.request_id is not None, is_well=event.result == "success"
        )
        group = self._find(place, None, line)
        if group is not None:
            return event.provider or group.model.provider, group.model.name
        started = self._under_way(place)
        return (event.provider, None) if started is None else (event.provider or started.provider, started.model)

    def add(self, call: Call) -> list[Call]:
        """Remember a call; return what other sources said of it."""
        self._begin(call.number)
        return list(self._calls.numbered(self._file(call)))

    def corrected(self, call: Call) -> None:
        """Take note that a call's tokens or names changed."""
        group = self._by_call.get(call.number)
        if group is not None:
            self._unfile(group)
            group.lines = [_line_of(call) if line.number == call.number else line for line in group.lines]
            self._index(group)

    def _begin(self, until: int | None = None) -> None:
        """Take up the calls that the SDK told of so far, up to that number."""
        if self.is_needed:
            return
        self.is_needed = True
        until = self._calls.added if until is None else until
        for call in self._calls.numbered(range(max(0, until - _RECENT), until)):
            if not call.is_notice:
                self._file(call)

    def _file(self, call: Call) -> list[int]:
        """Put a call where it belongs; return the numbers of the others there."""
        line, place = _line_of(call), call.cell.contest.place
        group = self._find(place, call.cell.contest, line)
        if group is None:
            group = _Group(call.number, call.cell)
            self._groups.append(group)
            insort(self._here.setdefault(place, []), group, key=_order)
            if len(self._groups) > _RECENT:
                self._forget(self._groups.popleft())
        else:
            self._unfile(group)
            if place[1] is not None:
                self._move(group, place)
        others = [line.number for line in group.lines]
        group.lines.append(line)
        self._by_call[call.number] = group
        self._index(group)
        return others

    def _under_way(self, place: Place) -> LlmStarted | None:
        """Return the last call with an id that goes on there."""
        latest = islice(reversed(self._open.by_id.values()), _RECENT)
        return next((started for started, _ in latest if place_of(started)[1:] == place), None)

    def _find(self, place: Place, contest: Contest | None, line: _Line) -> _Group | None:
        found = self._same([place], contest, line)
        if found is None and line.is_well:
            found = self._same(_elsewhere(place), contest, line, is_well=True)
        here = self._here.get(place)
        if found is None and here and line.is_well and here[-1].kind.takes(line, contest):
            is_silent = not line.total or not any(own.total for own in here[-1].lines)
            if is_silent and here[-1].kind.is_well and self._under_way(place) is None:
                found = here[-1]
        return found

    def _same(
        self, where: Iterable[_Where], contest: Contest | None, line: _Line, *, is_well: bool = False
    ) -> _Group | None:
        """Return the last call of the same tokens, of those that succeeded if asked."""
        found: _Group | None = None
        totals = {line.total, line.uncached} if line.total else ()
        kinds = (self._by_total.get((each, total), {}) for each in where for total in totals)
        for kind, groups in (each for found_there in kinds for each in found_there.items()):
            if not kind.takes(line, contest) or (is_well and not kind.is_well):
                continue
            for group in reversed(groups):
                if found is not None and group.order <= found.order:
                    break
                if any(line.is_same(own) for own in group.lines):
                    found = group
        return found

    def _index(self, group: _Group) -> None:
        group.kind = _Kind(
            group.family,
            frozenset([line.source for line in group.lines]),
            has_id=any(line.has_id for line in group.lines),
            is_well=all(line.is_well for line in group.lines),
        )
        for key in group.keys:
            insort(self._by_total.setdefault(key, {}).setdefault(group.kind, []), group, key=_order)

    def _unfile(self, group: _Group) -> None:
        for key in group.keys:
            kinds = self._by_total[key]
            groups = kinds[group.kind]
            groups.remove(group)
            if not groups:
                del kinds[group.kind]
            if not kinds:
                del self._by_total[key]

    def _forget(self, group: _Group) -> None:
        self._unfile(group)
        for line in group.lines:
            del self._by_call[line.number]
        self._leave(group)

    def _move(self, group: _Group, place: Place) -> None:
        """Give a call to a place."""
        if group.place != place:
            self._leave(group)
            group.place = place
            insort(self._here.setdefault(place, []), group, key=_order)

    def _leave(self, group: _Group) -> None:
        here = self._here[group.place]
        here.remove(group)
        if not here:
            del self._here[group.place]


def _elsewhere(place: Place) -> tuple[_Where, ...]:
    """Return where else a call may be told of: without an agent if this place has one, with one if it has none."""
    issue, agent = place
    if agent is not None:
        return (issue, None), (None, None)
    return ((),) if issue is None else ((issue,),)


def _line_of(call: Call) -> _Line:
    has_id, is_well = call.request_id is not None, call.result == "success"
    return _Line(call.number, call.cell.source, call.raw, has_id=has_id, is_well=is_well)
