"""Debugging cycles, of each issue and of the whole run.

No I/O, no formatting. Definitions: metrics.md, "debugging".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runwatch.events import Event
from runwatch.events.work import DebugAttempt, DebugCompleted, DebugStarted
from runwatch.fold.agents import Agents
from runwatch.fold.clock import Clock, Moment, elapsed, is_later, micros, seconds, until
from runwatch.fold.issues import Issue, Issues
from runwatch.fold.metrics import DebuggingCycle, DebuggingTotals
from runwatch.fold.outcome import percent

_CYCLES, _ENDED, _RESOLVED, _ATTEMPTS, _RESOLUTION, _TIMED = _SUMS = range(6)


class Cycle:
    """One cycle."""

    __slots__ = (
        "agent", "attempts", "duration", "error_message", "error_type", "id", "issue", "method", "moment", "resolved",
        "shown", "startless",
    )  # fmt: skip

    def __init__(self, id_: int | str, issue: Issue | None, moment: Moment) -> None:
        self.id = id_
        self.issue = issue
        self.moment = moment
        self.agent: str | None = None
        self.error_type: str | None = None
        self.error_message: str | None = None
        self.attempts = 0
        self.resolved: bool | None = None
        self.method: str | None = None
        self.duration: int | None = 0
        """Microseconds; None where nothing told when it began."""
        self.startless: tuple[Moment, bool] | None = None
        """Of a cycle that began with its end: when that was, and whether it told how long the cycle took."""
        self.shown: DebuggingCycle | None = None

    def metrics(self, now: str | None) -> DebuggingCycle:
        """Return it as it is shown."""
        if self.shown is not None and self.resolved is not None:
            return self.shown
        running = until(self.moment[0], now) if self.resolved is None else 0
        self.shown = DebuggingCycle(
            cycle=self.id,
            issue=None if self.issue is None else self.issue.id,
            agent=self.agent,
            error_type=self.error_type,
            error_message=self.error_message,
            attempts=self.attempts,
            resolved=self.resolved,
            method=self.method,
            start_time=self.moment[0],
            duration_s=None if self.duration is None else seconds(self.duration + running),
        )
        return self.shown


class Debugging:
    """All cycles, in order of their start.

    A cycle is told by its issue and its number; one without a number is the latest that goes on in its issue.
    A number that is started again after its end is a new cycle.
    """

    def __init__(self, clock: Clock, issues: Issues, agents: Agents) -> None:
        self._clock = clock
        self._issues = issues
        self._agents = agents
        self._all: list[Cycle] = []
        self._by_id: dict[tuple[str | None, str], Cycle] = {}
        self._row = [0] * len(_SUMS)
        self._rows: dict[str, list[int]] = {}

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {DebugStarted: self._started, DebugAttempt: self._attempt, DebugCompleted: self._completed}

    def close(self, moment: Moment) -> None:
        """End what goes on as not resolved."""
        for cycle in self._all:
            if cycle.resolved is None:
                self._end(cycle, elapsed(cycle.moment, moment) or 0, resolved=False)

    def metrics(self, now: str | None) -> list[DebuggingCycle]:
        """Return all cycles."""
        return [cycle.metrics(now) for cycle in self._all]

    def totals(self, issue: Issue | None = None) -> DebuggingTotals:
        """Return the totals of an issue, or of the run. The rate is of the cycles that ended."""
        row = self._row if issue is None else self._rows.get(issue.name, [0] * len(_SUMS))
        return DebuggingTotals(
            cycles=row[_CYCLES],
            resolved=row[_RESOLVED],
            attempts=row[_ATTEMPTS],
            success_rate=percent(row[_RESOLVED], row[_ENDED]),
            resolution_s=round(row[_RESOLUTION] / row[_TIMED] / 1e6, 6) if row[_TIMED] else None,
        )

    def _started(self, event: DebugStarted) -> None:
        cycle = None if event.cycle is None else self._known(event)
        if cycle is None or (cycle.resolved is not None and not self._is_overtaken(cycle, event)):
            cycle = self._add(event)
        cycle.agent = event.agent or cycle.agent
        cycle.error_type = event.error_type or cycle.error_type
        cycle.error_message = event.error_message or cycle.error_message

    def _attempt(self, event: DebugAttempt) -> None:
        cycle = self._known(event)
        if cycle is None:
            cycle = self._add(event)
        cycle.agent = cycle.agent or event.agent
        cycle.attempts += 1
        cycle.shown = None
        self._bump(cycle, _ATTEMPTS)
        if cycle.agent is not None:
            self._agents.count_debug_attempt(event.issue if cycle.issue is None else cycle.issue.id, cycle.agent)

    def _completed(self, event: DebugCompleted) -> None:
        cycle = self._known(event)
        if cycle is None:
            cycle = self._add(event)
            cycle.startless = cycle.moment, micros(event.duration_s) is not None
        if cycle.resolved is not None:
            return  # said before: the first word stands
        cycle.agent = cycle.agent or event.agent
        cycle.method = event.method
        took, moment = micros(event.duration_s), self._clock.moment(event)
        if took is None and cycle.startless is None:
            took = elapsed(cycle.moment, moment) or 0
        self._end(cycle, took, resolved=event.resolved)

    def _is_overtaken(self, cycle: Cycle, event: DebugStarted) -> bool:
        """Take over the start of a cycle whose end was written first; return whether it was."""
        found, moment = cycle.startless, self._clock.moment(event)
        cycle.startless = None
        if found is None or is_later(moment, found[0]):
            return False  # the number is used again
        cycle.moment = moment
        cycle.shown = None
        if not found[1]:
            cycle.duration = elapsed(moment, found[0]) or 0
            self._count_time(cycle)
        return True

    def _end(self, cycle: Cycle, duration: int | None, *, resolved: bool) -> None:
        cycle.resolved = resolved
        cycle.duration = duration
        cycle.shown = None
        if cycle.issue is not None:
            cycle.issue.parts_open -= 1
        self._bump(cycle, _ENDED)
        if resolved:
            self._bump(cycle, _RESOLVED)
        self._count_time(cycle)

    def _count_time(self, cycle: Cycle) -> None:
        """Take a cycle's time into the mean, once it is known."""
        if cycle.resolved and cycle.duration is not None:
            self._bump(cycle, _TIMED)
            self._bump(cycle, _RESOLUTION, cycle.duration)

    def _known(self, event: DebugStarted | DebugAttempt | DebugCompleted) -> Cycle | None:
        name = None if event.issue is None else str(event.issue)
        if event.cycle is not None:
            cycle = self._by_id.get((name, str(event.cycle)))
            return cycle or (self._by_id.get((None, str(event.cycle))) if name is not None else self._anywhere(event))
        cycles = self._all if event.issue is None else self._issues.of(event.issue).cycles
        return next((cycle for cycle in reversed(cycles) if cycle.resolved is None), None)

    def _anywhere(self, event: DebugStarted | DebugAttempt | DebugCompleted) -> Cycle | None:
        """Find the cycle of an event that does not name the issue."""
        wanted = str(event.cycle)
        return next((cycle for cycle in reversed(self._all) if str(cycle.id) == wanted), None)

    def _add(self, event: DebugStarted | DebugAttempt | DebugCompleted) -> Cycle:
        issue = None if event.issue is None else self._issues.of(event.issue)
        siblings = self._all if issue is None else issue.cycles
        id_ = event.cycle if event.cycle is not None else len(siblings) + 1
        cycle = Cycle(id_, issue, self._clock.moment(event))
        self._by_id[None if issue is None else issue.name, str(id_)] = cycle
        self._all.append(cycle)
        if issue is not None:
            issue.cycles.append(cycle)
            issue.parts_open += 1
        self._bump(cycle, _CYCLES)
        return cycle

    def _bump(self, cycle: Cycle, column: int, by: int = 1) -> None:
        self._row[column] += by
        if cycle.issue is not None:
            cycle.issue.changes += 1
            self._rows.setdefault(cycle.issue.name, [0] * len(_SUMS))[column] += by
