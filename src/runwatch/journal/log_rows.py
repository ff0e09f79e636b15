"""The seam between one log's lines and those who put several logs together: rows by block, all of them or chosen ones.

No code: log_index.py holds the whole log, log_filter.py a part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from runwatch.journal.line_table import LineTable

if TYPE_CHECKING:
    from runwatch.journal.log_block import Bounds
    from runwatch.journal.log_order import LogOrder


class BlockOfRows(Protocol):
    """Lines that begin in one block of 64 KiB, in the order of the file."""

    @property
    def starts(self) -> Sequence[int]:
        """Offsets in the log; the last one may be the log's end, where no line is yet."""

    @property
    def ends(self) -> Sequence[int] | None:
        """Where the line below each begins in the file, 0 where that lies in another block; None: the next start."""

    @property
    def times(self) -> Sequence[float]:
        """The effective time of each."""

    @property
    def lines(self) -> int:
        """How many of the starts are lines."""

    @property
    def sorted(self) -> bool:
        """True when no line counts with an earlier time than one above it."""

    @property
    def least(self) -> float:
        """The earliest time."""

    @property
    def most(self) -> float:
        """The latest time."""

    def pairs(self) -> Sequence[tuple[float, int]]:
        """Return (time, place in the block) of each line, in the order of time, then of the file."""

    def lines_until(self, time: float) -> int:
        """Return how many lines count with ``time`` or earlier."""


class RowIndex(Protocol):
    """Rows of one log. Belongs to one thread at a time."""

    @property
    def table(self) -> LineTable:
        """How many rows begin in each block."""

    @property
    def order(self) -> LogOrder:
        """The rows in the order of their times."""

    @property
    def row_count(self) -> int:
        """Rows known now."""

    @property
    def generation(self) -> int:
        """Changes whenever a row may show something else."""

    @property
    def keeps_file_order(self) -> bool:
        """True where the order in which bytes arrived is the order of the lines."""

    def count_exactly(self, number: int) -> None:
        """Count a block whose number is an estimate."""

    def count_tail(self, lines: int) -> None:
        """Count the last blocks until they hold so many rows."""

    def block(self, number: int) -> BlockOfRows:
        """Return the rows that begin in a block."""

    def bounds(self, number: int) -> Bounds:
        """Return what is known of the times in a block without looking at its lines."""

    def block_opens(self, number: int) -> float:
        """Return the time at which the block above ended."""

    def block_after(self, time: float) -> int:
        """Return the first block that ends later than ``time``, else the last one."""

    def time_at(self, offset: int) -> float:
        """Return the effective time of the line that begins at an offset."""
