"""One attempt at a model request, and how its numbers go into its cell.

No I/O, no formatting; decides nothing about identity or price.
"""

from __future__ import annotations

import msgspec

from runwatch.fold.ledger import Cell
from runwatch.fold.tally import (
    CACHE_READ,
    CACHE_WRITE,
    COMPLETION,
    FAILURES,
    MICROS,
    MUTE,
    PICO,
    PRICED,
    PROMPT,
    RATE_LIMITS,
    REASONING,
    TIMEOUTS,
    TOTAL,
    UNPRICED,
    UNSPLIT,
)
from runwatch.fold.usage import NOTHING, Counts, Raw, has_split

FOREIGN = "#"
"""Stands for the writer of a call that names none and has no request id; its number is that of the line among calls."""


class Call(msgspec.Struct, gc=False):
    """One attempt at a model request, as it is counted now."""

    cell: Cell
    result: str
    attempt: int
    ts: str | None
    attempt_of_agent: int = 0
    """Ordinal of the attempt that its agent had under way; 0 without one."""
    raw: Raw | None = None
    duration: int | None = None
    """Microseconds."""
    pico: int | None = None
    is_priced: bool = False
    """Whether it has a price, or should have one."""
    prices: str | None = None
    """The list its price is from; None where the provider said the cost."""
    is_recorded: bool = False
    """Whether an ``llm.priced`` line holds its price."""
    is_announced: bool = False
    """Whether a retry notice told that it failed."""
    is_notice: bool = False
    """Whether a retry notice is all that is known of it."""
    is_retry: bool = False
    """Whether it repeats a request, and is none of its own."""
    request_id: str | None = None
    writer: str | None = None
    seq: int | None = None
    number: int = -1
    """Where it is remembered."""

    counts: Counts = NOTHING
    """The tokens, normalized; kept up to date by whoever sets ``raw``."""

    @property
    def ref(self) -> str | None:
        """Return what ``llm.priced`` calls it."""
        if self.writer is not None and self.seq is not None:
            return f"{self.writer}:{self.seq}"
        return self.request_id

    @property
    def is_said(self) -> bool:
        """Whether the provider said the cost, which wins over any list."""
        return self.pico is not None and self.prices is None

    def count(self, sign: int) -> None:
        """Put the numbers into the cell (1), or take them out (-1). The cell must be noted as dirty."""
        cell = self.cell
        if self.request_id is None:
            cell.contest.anonymous += sign
        totals = cell.totals
        if self.raw is not None:
            prompt, completion, read, write, thought, total = self.counts
            totals[PROMPT] += sign * prompt
            totals[COMPLETION] += sign * completion
            totals[TOTAL] += sign * total
            if read or write or thought:
                totals[CACHE_READ] += sign * read
                totals[CACHE_WRITE] += sign * write
                totals[REASONING] += sign * thought
            if self.attempt_of_agent:
                cell.under.add(self.attempt_of_agent, sign * total)
        elif self.result == "success":
            totals[MUTE] += sign
        if self.pico is not None:
            totals[PICO] += sign * self.pico
            totals[PRICED] += sign
        elif self.is_priced:
            totals[UNPRICED] += sign
            if not has_split(self.raw):
                totals[UNSPLIT] += sign
        if self.duration is not None:
            totals[MICROS] += sign * self.duration
        if self.result != "success":
            totals[FAILURES] += sign
            if self.result == "rate_limit":
                totals[RATE_LIMITS] += sign
            elif self.result == "timeout":
                totals[TIMEOUTS] += sign
