"""Values by consecutive numbers: the newest as they are, the older ones packed and compressed, a block at a time.

No I/O, no formatting; knows nothing of what it holds.

A long run has a hundred thousand model calls that a late line may still correct, and ten thousands of attempts with a
row of their own each. As Python objects they weigh hundreds of bytes each; packed side by side some twenty.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SIZE = 256
"""Values a block. The last so many, at the least, are never packed."""
_AT_HAND = 2
"""Packed blocks that are held unpacked: lines about old values come in the order of these."""
_LEVEL = 1
"""Of the compression; a higher one takes twice the time and saves nothing here."""


class Blocks(Generic[T]):
    """``pack`` and ``unpack`` turn a list of values into bytes and back.

    With ``keep_first`` the first block is never packed either. A value that was changed must be set again.
    """

    __slots__ = ("_at_hand", "_dirty", "_first", "_forgotten", "_length", "_newest", "_pack", "_packed", "_unpack")

    def __init__(
        self, pack: Callable[[list[T]], bytes], unpack: Callable[[bytes], list[T]], *, keep_first: bool = False
    ) -> None:
        self._pack = pack
        self._unpack = unpack
        self._packed: list[bytes] = []
        """Blocks from ``_forgotten`` on, but for the newest; an empty one stands for the first that is kept."""
        self._forgotten = 0
        """How many blocks are gone."""
        self._first: list[T] | None = [] if keep_first else None
        self._newest: list[T] = []
        self._length = 0
        self._at_hand: dict[int, list[T]] = {}
        """Packed blocks by their number, the one that was used last at the end."""
        self._dirty: set[int] = set()

    def __len__(self) -> int:
        """Return the number of the next value: how many there ever were."""
        return self._length

    def append(self, value: T) -> int:
        """Add a value; return its number."""
        newest = self._newest
        newest.append(value)
        self._length = number = self._length + 1
        if len(newest) == 2 * SIZE:
            self._put_away(newest[:SIZE])
            del newest[:SIZE]
        return number - 1

    def __getitem__(self, number: int) -> T:
        """Return a value that is not forgotten."""
        at = number - self._length + len(self._newest)
        if at >= 0:
            return self._newest[at]
        return self._block(number // SIZE)[number % SIZE]

    def __setitem__(self, number: int, value: T) -> None:
        at = number - self._length + len(self._newest)
        if at >= 0:
            self._newest[at] = value
            return
        block = number // SIZE
        self._block(block)[number % SIZE] = value
        self._dirty.add(block)

    def forget_before(self, number: int) -> None:
        """Drop the blocks in which all values have a lower number."""
        while self._packed and (self._forgotten + 1) * SIZE <= number:
            self._at_hand.pop(self._forgotten, None)
            self._dirty.discard(self._forgotten)
            del self._packed[0]
            self._forgotten += 1

    def _put_away(self, values: list[T]) -> None:
        if self._first is not None and not self._packed:
            self._first = values
            self._packed.append(b"")
        else:
            self._packed.append(self._compressed(values))

    def _block(self, block: int) -> list[T]:
        values = self._at_hand.pop(block, None)
        if values is None:
            if not block and self._first is not None:
                return self._first
            if block < self._forgotten:
                raise IndexError(block * SIZE)
            values = self._unpack(zlib.decompress(self._packed[block - self._forgotten]))
            if len(self._at_hand) == _AT_HAND:
                self._let_go(next(iter(self._at_hand)))
        self._at_hand[block] = values
        return values

    def _let_go(self, block: int) -> None:
        values = self._at_hand.pop(block)
        if block in self._dirty:
            self._dirty.discard(block)
            self._packed[block - self._forgotten] = self._compressed(values)

    def _compressed(self, values: list[T]) -> bytes:
        return zlib.compress(self._pack(values), _LEVEL)
