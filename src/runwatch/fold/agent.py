"""One agent, in an issue, outside of any, or over the whole run: what is counted of it, and how that is shown.

No I/O, no formatting; decides nothing about what an event means. Definitions: metrics.md, "agent".
"""

from __future__ import annotations

from runwatch.fold.attempts import Attempt
from runwatch.fold.clock import Moment, seconds, until
from runwatch.fold.ended import EndedAttempts
from runwatch.fold.issues import Issue
from runwatch.fold.metrics import AgentMetrics
from runwatch.fold.numbering import Numbering
from runwatch.fold.tally import Tally, cost_of, tokens_of

ATTEMPTS, SUCCESSES, FAILURES, SAID_SUCCESSES, SAID_FAILURES, RETRIES, MICROS, TOOL_CALLS, ERRORS = range(9)
"""What a row counts."""


class Total:
    """An agent over the whole run."""

    __slots__ = ("max_attempts", "name", "open", "order", "row")

    def __init__(self, name: str) -> None:
        self.name = name
        self.row = [0] * 9
        self.max_attempts: int | None = None
        self.order: int | None = None
        """Rank of its first attempt among those of all agents."""
        self.open: list[Attempt] = []

    def metrics(self, now: str | None, tally: Tally) -> AgentMetrics:
        """Return it as it is shown."""
        return _shown(self.name, self.row, self.open, self.max_attempts, now, tally)


class Agent:
    """An agent in one issue, or outside of any."""

    __slots__ = (
        "_ended",
        "debug_attempts",
        "issue",
        "last",
        "max_attempts",
        "numbers",
        "open",
        "order",
        "row",
        "startless",
        "total",
    )

    def __init__(self, issue: Issue | None, total: Total, ended: EndedAttempts) -> None:
        self._ended = ended
        self.issue = issue
        self.total = total
        self.row = [0] * 9
        self.max_attempts: int | None = None
        self.order: int | None = None
        self.open: list[Attempt] = []
        self.last: Attempt | None = None
        """The attempt that began last."""
        self.startless: dict[str, tuple[Attempt, Moment, bool]] = {}
        """By call id, of attempts that began with their end: the attempt, when that was, and whether it told how long
        the attempt took."""
        self.debug_attempts = 0
        self.numbers = Numbering()

    @property
    def failures(self) -> int:
        """Attempts that failed, after the external truth."""
        return self.row[FAILURES]

    @property
    def retries(self) -> int:
        """The larger of the attempts after the first and the debugging attempts."""
        return self.row[RETRIES]

    def bump(self, column: int, by: int = 1) -> None:
        """Count here and in the whole run."""
        self.row[column] += by
        self.total.row[column] += by

    def settle_retries(self) -> None:
        """Bring the retries up to date."""
        self.bump(RETRIES, max(self.row[ATTEMPTS] - 1, self.debug_attempts, 0) - self.row[RETRIES])
        if self.last is not None:
            self.last.retries = self.row[RETRIES]
            self.changed(self.last)

    def changed(self, attempt: Attempt) -> None:
        """Have an attempt shown anew that has ended."""
        if attempt.success is not None:
            self._ended.note(attempt)

    def metrics(self, now: str | None, tally: Tally) -> AgentMetrics:
        """Return it as it is shown."""
        return _shown(self.total.name, self.row, self.open, self.max_attempts, now, tally)


def _shown(
    name: str, row: list[int], under_way: list[Attempt], max_attempts: int | None, now: str | None, tally: Tally
) -> AgentMetrics:
    running = sum(until(attempt.moment[0], now) for attempt in under_way)
    return AgentMetrics(
        agent=name,
        attempts=row[ATTEMPTS],
        successes=row[SUCCESSES],
        failures=row[FAILURES],
        reported_successes=row[SAID_SUCCESSES],
        reported_failures=row[SAID_FAILURES],
        retries=row[RETRIES],
        duration_s=seconds(row[MICROS] + running),
        max_attempts=max_attempts,
        running=bool(under_way),
        tool_calls=row[TOOL_CALLS],
        tokens=tokens_of(tally),
        cost_usd=cost_of(tally),
        errors=row[ERRORS],
    )
