"""Agents and their attempts, in each issue and in the whole run.

No I/O, no formatting. Definitions: metrics.md, "agent" and "external truth".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from runwatch.events import Event
from runwatch.events.notices import OutcomeVerified
from runwatch.events.work import AgentCompleted, AgentStarted
from runwatch.fold.agent import (
    ATTEMPTS,
    ERRORS,
    FAILURES,
    MICROS,
    SAID_FAILURES,
    SAID_SUCCESSES,
    SUCCESSES,
    TOOL_CALLS,
    Agent,
    Total,
)
from runwatch.fold.attempts import NO_CALLS, Attempt, repeats, under_way
from runwatch.fold.clock import Clock, Moment, elapsed, is_later, micros
from runwatch.fold.ended import EndedAttempts
from runwatch.fold.issues import Issue, Issues
from runwatch.fold.metrics import AgentMetrics, AttemptMetrics
from runwatch.fold.tally import Tally

_MOST_STARTLESS = 1000
"""Ends of one agent without a start that are remembered, since their starts may still come."""


class Agents:
    """All agents. One that is only named by a call, a tool or an error has no attempts."""

    def __init__(self, clock: Clock, issues: Issues) -> None:
        self._clock = clock
        self._issues = issues
        self._loose: dict[str, Agent] = {}
        """Outside of any issue."""
        self._totals: dict[str, Total] = {}
        self._orders = 0
        self.ended = EndedAttempts()

    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Return what folds which event."""
        return {AgentStarted: self._started, AgentCompleted: self._completed}

    def of(self, issue_id: int | str | None, name: str) -> Agent:
        """Return an agent, about to change."""
        issue = None if issue_id is None else self._issues.of(issue_id)
        agents = self._loose if issue is None else issue.agents
        agent = agents.get(name)
        if agent is None:
            agent = agents[name] = Agent(issue, self._totals.setdefault(name, Total(name)), self.ended)
        return agent

    def count_tool_call(self, issue_id: int | str | None, name: str) -> None:
        """Count one tool call."""
        agent = self.of(issue_id, name)
        agent.row[TOOL_CALLS] += 1
        agent.total.row[TOOL_CALLS] += 1
        if agent.open:
            agent.open[-1].tool_calls += 1

    def attempt_of(self, issue_id: int | str | None, name: str) -> int:
        """Return the ordinal of the attempt that an agent has under way, the newest; 0 without one."""
        if issue_id is None:
            agents = self._loose
        else:
            issue = self._issues.get(issue_id)
            agents = {} if issue is None else issue.agents
        agent = agents.get(name)
        return agent.open[-1].ordinal if agent is not None and agent.open else 0

    def attempts(self) -> Sequence[AttemptMetrics]:
        """Return the attempts that have ended, in order of their end."""
        return self.ended.rows()

    def count_error(self, issue_id: int | str | None, name: str) -> None:
        """Count one recorded error."""
        self.of(issue_id, name).bump(ERRORS)

    def count_debug_attempt(self, issue_id: int | str | None, name: str) -> None:
        """Count one try at a repair."""
        agent = self.of(issue_id, name)
        agent.debug_attempts += 1
        agent.settle_retries()

    def verify(self, event: OutcomeVerified) -> None:
        """Turn the agent's last attempt to what is so; what the agent said stays beside it."""
        if event.agent is None:
            return
        agent = self.of(event.issue, event.agent)
        last = agent.last
        if last is None:
            return
        last.verified = event.success
        if last.success is not None and last.success != event.success:
            last.success = event.success
            agent.bump(SUCCESSES, 1 if event.success else -1)
            agent.bump(FAILURES, -1 if event.success else 1)
            agent.changed(last)

    def close(self, moment: Moment) -> None:
        """End what goes on as interrupted, which counts as a failure that nobody reported."""
        groups = [self._loose, *(issue.agents for issue in self._issues.all.values())]
        for agent in (agent for group in groups for agent in group.values()):
            for attempt in list(agent.open):
                self._end(agent, attempt, moment, None, success=False)

    def metrics(self, now: str | None, tallies: dict[str | None, Tally]) -> list[AgentMetrics]:
        """Return the agents of the whole run, in order of their first attempt."""
        return [total.metrics(now, tallies.get(total.name, NO_CALLS)) for total in _ordered(self._totals.values())]

    def _started(self, event: AgentStarted) -> None:
        if event.agent is None:
            return
        agent = self.of(event.issue, event.agent)
        moment = self._clock.moment(event)
        if event.max_attempts is not None:
            agent.max_attempts = event.max_attempts
            agent.total.max_attempts = max(event.max_attempts, agent.total.max_attempts or 0)
        if _is_overtaken(agent, event, moment):
            return
        for attempt in list(agent.open):
            if attempt.call_id == event.call_id:  # attempts follow one another unless ids tell them apart
                self._end(agent, attempt, moment, None, success=False)
        self._begin(agent, event, moment)

    def _completed(self, event: AgentCompleted) -> None:
        if event.agent is None:
            return
        agent = self.of(event.issue, event.agent)
        moment = self._clock.moment(event)
        attempt = under_way(agent, event)
        if attempt is None:
            if repeats(agent.last, event):
                return  # the first word stands
            attempt = self._begin(agent, event, moment)
            if event.call_id is not None:
                agent.startless[event.call_id] = attempt, moment, micros(event.duration_s) is not None
                if len(agent.startless) > _MOST_STARTLESS:
                    del agent.startless[next(iter(agent.startless))]
        agent.bump(SAID_SUCCESSES if event.success else SAID_FAILURES)
        attempt.error = event.error
        self._end(agent, attempt, moment, micros(event.duration_s), success=event.success)

    def _begin(self, agent: Agent, event: AgentStarted | AgentCompleted, moment: Moment) -> Attempt:
        ordinal = self.ended.begin()
        attempt = Attempt(agent, event.attempt, event.call_id, moment, agent.numbers.take(event.attempt), ordinal)
        if agent.order is None:
            self._orders += 1
            agent.order = self._orders
            agent.total.order = agent.total.order or self._orders
        agent.last = attempt
        agent.open.append(attempt)
        agent.total.open.append(attempt)
        if agent.issue is not None:
            agent.issue.parts_open += 1
        agent.bump(ATTEMPTS)
        agent.settle_retries()
        return attempt

    def _end(self, agent: Agent, attempt: Attempt, moment: Moment, duration: int | None, *, success: bool) -> None:
        attempt.success = success if attempt.verified is None else attempt.verified
        agent.open.remove(attempt)
        agent.total.open.remove(attempt)
        if agent.issue is not None:
            agent.issue.parts_open -= 1
            agent.issue.changes += 1
        agent.bump(SUCCESSES if attempt.success else FAILURES)
        attempt.micros = duration if duration is not None else elapsed(attempt.moment, moment) or 0
        agent.bump(MICROS, attempt.micros)
        attempt.end = moment[0]
        self.ended.note(attempt)


def agents_of(issue: Issue, now: str | None, tallies: dict[tuple[str | None, str | None], Tally]) -> list[AgentMetrics]:
    """Return the agents of an issue, in order of their first attempt."""
    return [
        agent.metrics(now, tallies.get((issue.name, agent.total.name), NO_CALLS))
        for agent in _ordered(issue.agents.values())
    ]


def _ordered(agents: Iterable[Any]) -> list[Any]:
    return sorted(agents, key=lambda agent: (agent.order is None, agent.order or 0))


def _is_overtaken(agent: Agent, event: AgentStarted, moment: Moment) -> bool:
    """Take over the start of an attempt whose end was written first; return whether there was one."""
    found = None if event.call_id is None else agent.startless.pop(event.call_id, None)
    if found is None:
        return False
    attempt, ended, is_told = found
    if is_later(moment, ended):
        return False  # the id is used again
    attempt.moment = (moment[0], None, None)
    if event.attempt is not None and event.attempt != attempt.number:
        attempt.number, attempt.index = event.attempt, agent.numbers.swap(attempt.index, event.attempt)
    agent.changed(attempt)
    if not is_told:
        took = elapsed(moment, ended) or 0
        agent.bump(MICROS, took - attempt.micros)
        attempt.micros = took
    return True
