"""Secrets of a run's environment for whoever finalizes it later elsewhere: their salted digests, never themselves.

Must not touch the disk. A value is looked for wherever a word begins, so one in the middle of a longer word is missed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

import msgspec

from runwatch.redact.rules import Span

try:
    from _blake2 import blake2b  # hashlib has it from here, and loads OpenSSL besides: 9 ms of every `runwatch emit`
except ImportError:
    from hashlib import blake2b

_WORD_START = re.compile(r"(?<![A-Za-z0-9])(?=\S)|(?<=(?<![A-Za-z0-9-])-[A-Za-z])(?=\S)")
"""Also behind a flag of one letter: ``-pVALUE``."""


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one value."""

    name: str
    """Its variable."""
    length: int
    """Characters."""
    digest: str
    """blake2b of it, keyed with the salt, in hex."""


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept."""

    salt: str
    """In hex."""
    values: tuple[_Stored, ...] = ()
    """In the order of their names."""

    @classmethod
    def of(cls, values: Mapping[str, str], salt: str | None = None) -> Digests:
        """Return the digests of values → names of their variables, with a new salt where none is given."""
        salt_bytes = os.urandom(16) if salt is None else bytes.fromhex(salt)
        stored = (
            _Stored(name=name, length=len(value), digest=_digest(value, salt_bytes).hex())
            for value, name in values.items()
        )
        return cls(salt=salt_bytes.hex(), values=tuple(stored))

    def knows(self, value: str) -> bool:
        """Whether a value is among those that are kept."""
        digest = _digest(value, bytes.fromhex(self.salt)).hex()
        return any(stored.digest == digest for stored in self.values)

    def without(self, values: Mapping[str, str]) -> Digests | None:
        """Return the digests of other values than these; None where there are none."""
        salt = bytes.fromhex(self.salt)
        known = {_digest(value, salt).hex() for value in values}
        left = tuple(stored for stored in self.values if stored.digest not in known)
        return Digests(salt=self.salt, values=left) if left else None

    def find(self, text: str) -> Iterator[Span]:
        """Yield where such values stand in a text."""
        salt = bytes.fromhex(self.salt)
        names = {(stored.length, bytes.fromhex(stored.digest)): stored.name for stored in self.values}
        lengths = sorted({stored.length for stored in self.values}, reverse=True)
        for match in _WORD_START.finditer(text):
            start = match.start()
            for length in lengths:
                value = text[start : start + length]
                if len(value) == length and (name := names.get((length, _digest(value, salt)))) is not None:
                    yield Span(start, start + length, label(name))


def label(name: str) -> str:
    """Return what stands in place of the value of a variable; without a name that of one which a flag announced."""
    return f"env:{name}" if name else "flag"


def _digest(value: str, salt: bytes) -> bytes:
    return blake2b(value.encode("utf-8", "surrogatepass"), key=salt, digest_size=16).digest()
