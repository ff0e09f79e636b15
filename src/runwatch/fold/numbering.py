"""Numbers of the attempts at one thing: as they were said, else one after the other.

No I/O, no formatting. Several processes may each have begun at 1: a number that is taken gives way to the next one.
"""

from __future__ import annotations

from collections.abc import Iterable

_MOST_SKIPPED = 1000


class Numbering:
    """The numbers that are taken, in a few bytes however many there are."""

    __slots__ = ("_free", "most")

    def __init__(self) -> None:
        self.most = 0
        """The largest that is taken."""
        self._free: set[int] | None = None
        """Below it: those that nothing has, as far as that is known. Few have any, and there may be thousands of us."""

    def take(self, said: int | None) -> int:
        """Return the number of another attempt: the one that was said where it is free, else the next."""
        if said is not None and self._free and said in self._free:
            self._free.discard(said)
            return said
        if said is None or said <= self.most:
            self.most += 1
            return self.most
        if said > self.most + 1:
            self._give_back(range(max(self.most + 1, said - _MOST_SKIPPED), said))
        self.most = said
        return said

    def swap(self, taken: int, said: int) -> int:
        """Return the number of an attempt that had ``taken`` and now says one: that where it is free."""
        if said == taken or (said <= self.most and said not in (self._free or ())):
            return taken
        number = self.take(said)
        free = self._give_back((taken,))
        while self.most in free:
            free.discard(self.most)
            self.most -= 1
        return number

    def _give_back(self, numbers: Iterable[int]) -> set[int]:
        self._free = set() if self._free is None else self._free
        self._free.update(numbers)
        return self._free
