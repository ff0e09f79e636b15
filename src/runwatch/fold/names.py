"""Which of the last many things bears a name, in some fifteen bytes a name.

No I/O, no formatting; knows nothing of the things.

A name is kept as its 64-bit hash: that two of 100,000 are the same happens once in some billion runs. A dict of these
would take a hundred bytes a name. The slots of an open-addressed table point into a ring of hashes, so that a name
that was overwritten in the ring needs no deletion from the table: it is no longer found there, and a table that fills
up is made anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable

_LEAST = 1024
"""Slots of the first table: a power of two, as always."""


class Names:
    """At most ``limit`` names, of things with consecutive numbers; each thing has one name at most."""

    __slots__ = ("_limit", "_mask", "_ring", "_table", "_used")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ring = array("q")
        """Hash of the name of each thing, at its number modulo the limit; 0 for none."""
        self._table = array("i", bytes(4 * _LEAST))
        """Places in the ring, plus 1; 0 is a free slot. A name that is looked for starts at its hash."""
        self._mask = _LEAST - 1
        self._used = 0

    def set(self, number: int, name: Hashable) -> None:
        """Name a thing; one of the same name loses it."""
        if self._used * 5 > self._mask * 3:
            self._remake()
        hashed, place = hash(name) or 1, number % self._limit
        table, ring, mask = self._table, self._ring, self._mask
        at = hashed & mask
        while slot := table[at]:
            if ring[slot - 1] == hashed:
                ring[slot - 1] = 0
                break
            at = (at + 1) & mask
        else:
            self._used += 1
        table[at] = place + 1
        if place == len(ring):
            ring.append(hashed)
        else:
            if place > len(ring):
                ring.extend([0] * (place + 1 - len(ring)))
            ring[place] = hashed

    def skip(self, number: int) -> None:
        """Note that a thing has no name."""
        place = number % self._limit
        if place < len(self._ring):
            self._ring[place] = 0

    def find(self, name: Hashable, following: int) -> int | None:
        """Return the number of the thing with a name, ``following`` being the number of the next thing."""
        hashed = hash(name) or 1
        table, ring, mask = self._table, self._ring, self._mask
        at = hashed & mask
        while slot := table[at]:
            if ring[slot - 1] == hashed:
                return following - 1 - (following - slot) % self._limit
            at = (at + 1) & mask
        return None

    def drop(self, name: Hashable) -> None:
        """Take a name from what bears it."""
        hashed = hash(name) or 1
        at = hashed & self._mask
        while slot := self._table[at]:
            if self._ring[slot - 1] == hashed:
                self._ring[slot - 1] = 0
                return
            at = (at + 1) & self._mask

    def _remake(self) -> None:
        """Make the table anew, of the names that are in the ring still and as large as they need."""
        named = len(self._ring) - self._ring.count(0)
        slots = _LEAST
        while slots * 2 < named * 5:
            slots *= 2
        self._table = table = array("i", bytes(4 * slots))
        self._mask = mask = slots - 1
        self._used = named
        for place, hashed in enumerate(self._ring):
            if hashed:
                at = hashed & mask
                while table[at]:
                    at = (at + 1) & mask
                table[at] = place + 1
