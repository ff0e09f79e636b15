"""One attempt of an agent, and how it is shown once it has ended.

No I/O, no formatting; knows nothing of other attempts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwatch.events.work import AgentCompleted
from runwatch.fold.clock import Moment, seconds
from runwatch.fold.metrics import AttemptMetrics
from runwatch.fold.tally import CHANGES

if TYPE_CHECKING:
    from runwatch.fold.agent import Agent

NO_CALLS = [0] * (CHANGES + 1)
"""The tally of who made no model call."""


class Attempt:
    """One attempt of an agent, from its start on."""

    __slots__ = (
        "agent", "call_id", "end", "error", "index", "micros", "moment", "number", "ordinal", "retries", "success",
        "tool_calls", "verified",
    )  # fmt: skip

    def __init__(
        self, agent: Agent, number: int | None, call_id: str | None, moment: Moment, index: int, ordinal: int
    ) -> None:
        self.agent = agent
        self.number = number
        """As it was said: tells attempts of one process apart."""
        self.index = index
        """Its own among the agent's attempts at its issue, from 1."""
        self.call_id = call_id
        self.moment = moment
        self.ordinal = ordinal
        """Among all attempts of the run, from 1."""
        self.end: str | None = None
        self.micros = 0
        self.error: str | None = None
        self.retries = self.tool_calls = 0
        self.success: bool | None = None
        """How it ended, after the external truth; None while it goes on."""
        self.verified: bool | None = None


def shown(attempt: Attempt, tokens: int) -> AttemptMetrics:
    """Return an attempt that has ended as it is shown; its calls used so many tokens."""
    issue = attempt.agent.issue
    return AttemptMetrics(
        agent=attempt.agent.total.name,
        attempt=attempt.index,
        issue=None if issue is None else issue.id,
        start_time=attempt.moment[0],
        end_time=attempt.end,
        duration_s=seconds(attempt.micros),
        success=bool(attempt.success),
        retries=attempt.retries,
        tool_calls=attempt.tool_calls,
        total_tokens=tokens,
        error=attempt.error,
    )


def under_way(agent: Agent, event: AgentCompleted) -> Attempt | None:
    """Return the attempt that an end belongs to, None where there is none."""
    if event.call_id is not None:
        for attempt in agent.open:
            if attempt.call_id == event.call_id:
                return attempt
    left = [attempt for attempt in agent.open if event.call_id is None or attempt.call_id is None]
    for attempt in left:
        if event.attempt is not None and attempt.number == event.attempt:
            return attempt
    return left[-1] if left else None


def repeats(last: Attempt | None, event: AgentCompleted) -> bool:
    """Return whether the end of the last attempt is told once more."""
    if last is None or last.success is None:
        return False
    if event.call_id is not None:
        return event.call_id == last.call_id
    return event.attempt is not None and event.attempt == last.number
