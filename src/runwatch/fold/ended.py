"""The attempts of agents that have ended, in order of their end, as they are shown.

No I/O, no formatting; decides nothing about success or retries.

Each attempt has a row of agents.csv, and what it says may still be corrected: by the external truth, by a debugging
cycle, by a model call told late. So every row is kept, but for the first and the last few hundred, which
metrics.json shows, packed in some thirty bytes (``blocks``).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

import msgspec

from runwatch.fold.attempts import Attempt, shown
from runwatch.fold.blocks import SIZE, Blocks
from runwatch.fold.metrics import AttemptMetrics

MOST_NEWS = 2 * SIZE
"""Rows that are made at a time, and attempts that are handed out as a list."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[AttemptMetrics]).decode


class EndedAttempts:
    """Holds the attempts that have ended; knows of those under way only what their calls used."""

    __slots__ = ("_changed", "_corrections", "_places", "_recounted", "_rows", "_shown", "_tokens")

    def __init__(self) -> None:
        self._rows: Blocks[AttemptMetrics] = Blocks(_encode, _decode, keep_first=True)
        self._tokens = array("q", [0])
        """By the ordinal of an attempt, from 1: tokens of the model calls while it went on."""
        self._places = array("i", [-1])
        """By the same: the number of its row; -1 while it has none."""
        self._changed: dict[int, Attempt] = {}
        """By ordinal: what ended or changed since its row was made."""
        self._recounted: dict[int, int] = {}
        """Number of a row whose tokens changed since, to the ordinal of its attempt."""
        self._shown = 0
        """How many rows were handed out."""
        self._corrections = 0

    def begin(self) -> int:
        """Return the ordinal of an attempt that begins now."""
        self._tokens.append(0)
        self._places.append(-1)
        return len(self._tokens) - 1

    def note(self, attempt: Attempt) -> None:
        """Note that an attempt has ended, or that one which had ended has changed."""
        self._changed[attempt.ordinal] = attempt
        if len(self._changed) > MOST_NEWS:
            self._bring_up()

    def use(self, ordinal: int, tokens: int) -> None:
        """Add to the tokens of the calls of an attempt."""
        self._tokens[ordinal] += tokens
        place = self._places[ordinal]
        if place >= 0:
            self._recounted[place] = ordinal

    def rows(self) -> Sequence[AttemptMetrics]:
        """Return the rows as of now: a list, or of more than a few hundred what reads them when it is asked."""
        self._bring_up()
        self._shown = len(self._rows)
        if self._shown <= MOST_NEWS:
            return [self._rows[number] for number in range(self._shown)]
        return AttemptRows(self._rows, self._corrections)

    def _bring_up(self) -> None:
        for ordinal, attempt in self._changed.items():
            place, row = self._places[ordinal], shown(attempt, self._tokens[ordinal])
            if place < 0:
                self._places[ordinal] = self._rows.append(row)
            else:
                self._replace(place, row)
        self._changed.clear()
        for place, ordinal in self._recounted.items():
            self._replace(place, msgspec.structs.replace(self._rows[place], total_tokens=self._tokens[ordinal]))
        self._recounted.clear()

    def _replace(self, place: int, row: AttemptMetrics) -> None:
        if self._rows[place] != row:
            self._rows[place] = row
            if place < self._shown:
                self._corrections += 1


class AttemptRows(Sequence[AttemptMetrics]):
    """Many attempts, unpacked as they are read. For the thread that folds, until the fold reads on."""

    def __init__(self, rows: Blocks[AttemptMetrics], corrections: int) -> None:
        self._rows = rows
        self._length = len(rows)
        self.corrections = corrections
        """How often a row changed that had been handed out: as long as this stays, so do the rows."""

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> AttemptMetrics: ...

    @overload
    def __getitem__(self, at: slice) -> list[AttemptMetrics]: ...

    def __getitem__(self, at: int | slice) -> AttemptMetrics | list[AttemptMetrics]:
        if isinstance(at, slice):
            return [self._rows[number] for number in range(*at.indices(self._length))]
        return self._rows[range(self._length)[at]]

    def __iter__(self) -> Iterator[AttemptMetrics]:
        return map(self._rows.__getitem__, range(self._length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list
