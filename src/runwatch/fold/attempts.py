"""One attempt of an agent, and how it is shown once it has ended.

No I/O, no formatting; knows nothing of other attempts. A run may have ten thousands: each holds what is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwatch.events.work import AgentCompleted
from runwatch.fold.clock import Moment, seconds
from runwatch.fold.metrics import AttemptMetrics
from runwatch.fold.tally import CHANGES, TOTAL, Tally

if TYPE_CHECKING:
    from runwatch.fold.agents import Agent

NO_CALLS = [0] * (CHANGES + 1)
"""The tally of who made no model call."""


class Attempt:
    """One attempt of an agent, from its start on."""

    __slots__ = (
        "agent", "call_id", "end", "error", "index", "micros", "moment", "number", "ordinal", "retries", "shown",
        "success", "tool_calls", "verified",
    )  # fmt: skip

    def __init__(
        self, agent: Agent, number: int | None, call_id: str | None, moment: Moment, index: int, ordinal: int
    ) -> None:
        self.agent = agent
        self.number = number
        """As it was said."""
        self.index = index
        """Among the agent's attempts at its issue, from 1."""
        self.call_id = call_id
        self.moment = moment
        self.ordinal = ordinal
        """Among all attempts of the run, from 1."""
        self.end: str | None = None
        self.micros = 0
        self.error: str | None = None
        self.retries = self.tool_calls = 0
        self.shown: AttemptMetrics | None = None
        self.success: bool | None = None
        """How it ended, after the external truth; None while it goes on."""
        self.verified: bool | None = None


def shown(attempt: Attempt, tallies: dict[int, Tally]) -> AttemptMetrics:
    """Return one attempt as it is shown, the same object while nothing of it changes."""
    tokens, success = tallies.get(attempt.ordinal, NO_CALLS)[TOTAL], bool(attempt.success)
    now = (success, attempt.retries, attempt.tool_calls, tokens)
    known = attempt.shown
    if known is None or (known.success, known.retries, known.tool_calls, known.total_tokens) != now:
        issue = attempt.agent.issue
        known = attempt.shown = AttemptMetrics(
            agent=attempt.agent.total.name,
            attempt=attempt.index if attempt.number is None else attempt.number,
            issue=None if issue is None else issue.id,
            start_time=attempt.moment[0],
            end_time=attempt.end,
            duration_s=seconds(attempt.micros),
            success=success,
            retries=attempt.retries,
            tool_calls=attempt.tool_calls,
            total_tokens=tokens,
            error=attempt.error,
        )
    return known


def repeats(last: Attempt | None, event: AgentCompleted) -> bool:
    """Return whether the end of the last attempt is told once more."""
    if last is None or last.success is None:
        return False
    if event.call_id is not None:
        return event.call_id == last.call_id
    return event.attempt is not None and event.attempt == last.number
