"""Which model call repeats another one: what a step, issue and agent remember of what failed and was announced.

No I/O, no formatting; adds nothing up. Definitions: metrics.md, "step"; the rules are at the top of ``models``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwatch.events.calls import LlmRetry

if TYPE_CHECKING:
    from runwatch.fold.call import Call
    from runwatch.fold.ledger import Model


class Scope:
    """Where retries without a call id look for their request: one step, issue and agent."""

    __slots__ = ("announced", "attempts", "last_model", "unannounced")

    def __init__(self) -> None:
        self.attempts: dict[int, int] = {}
        """Number of an attempt to how many calls that were such an attempt have no retry yet."""
        self.announced = 0
        """Retry notices without a call id whose retry has not ended."""
        self.unannounced = 0
        """Failed calls without a call id that no retry notice has told of."""
        self.last_model: Model | None = None

    def take(self, attempt: int | None, result: str, earlier: Call | None) -> tuple[int, bool]:
        """Take up a call that ended here; return its attempt number, and whether it is a retry.

        ``earlier`` is the last attempt that is known of its call id.
        """
        is_retry = earlier is not None and (earlier.result != "success" or result == "error")
        if attempt is None:
            attempt = 1 if earlier is None else earlier.attempt + 1
            if self.announced and (earlier is None or is_retry):
                self.announced -= 1
                is_retry = True
        elif attempt > 1:
            is_retry = self._claim(attempt - 1) or is_retry
            if self.announced:
                self.announced -= 1
        self.attempts[attempt] = self.attempts.get(attempt, 0) + 1
        if result != "success":
            self.unannounced += 1
        return attempt, is_retry

    def _claim(self, attempt: int) -> bool:
        """Take one call with this attempt number as the one that is retried; return whether there was one."""
        left = self.attempts.get(attempt, 0)
        if not left:
            return False
        self.attempts[attempt] = left - 1
        return True


def tells_of(notice: LlmRetry, call: Call) -> bool:
    """Return whether a retry notice is about this failed attempt."""
    return call.result != "success" and not call.is_announced and notice.attempt in (None, call.attempt)
