"""The archive's own listing: what is in it, what was left out, and the hash of all that comes before.

Must not read files. It is the last member, stored uncompressed; its last field says where it begins, in a fixed width,
so that it can be read without the rest.
"""

from __future__ import annotations

import os
import re

import msgspec

NAME = "manifest.json"
"""Name of the member, below the run's id."""
_START = re.compile(rb'"prefix_bytes":"([0-9]{20})"\}\n\0*\Z')


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of the archive."""

    name: str
    """Path below the run directory; what is no UTF-8 is replaced."""
    size_bytes: int
    """Of the file."""
    sha256: str
    """Of the file, in hex."""
    raw_name: str | None = None
    """The path as bytes in hex, where it is no UTF-8."""
    note: str | None = None
    """What is odd about it."""

    @property
    def path(self) -> str:
        """The path as the file system has it, undecodable bytes as surrogates."""
        return self.name if self.raw_name is None else os.fsdecode(bytes.fromhex(self.raw_name))


class LeftOut(msgspec.Struct, frozen=True):
    """Something in the run directory that no archive can or should hold."""

    name: str
    """Path below the run directory; what is no UTF-8 is replaced."""
    reason: str
    """Why."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of the archive's compressed bytes, from the end of the one before."""

    end_bytes: int
    """Position in the file behind it."""
    sha256: str
    """Of its bytes alone, in hex."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The listing. The order of the fields counts: the last one is found from the end of the file."""

    schema: int = 1
    """Version of this shape."""
    run_id: str
    """The folder that all members are in."""
    members: tuple[Member, ...]
    """In the order of the archive, this listing left out."""
    left_out: tuple[LeftOut, ...]
    """By path."""
    spans: tuple[Span, ...]
    """All of the archive's bytes before this member: what was made ahead of the end has a hash of its own."""
    prefix_bytes: str
    """Number of those bytes, in 20 digits."""


def shown(path: str) -> str:
    """Return a path as valid text; what is no UTF-8 is replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def member(path: str, size_bytes: int, sha256: str, note: str | None = None) -> Member:
    """Return the entry for a path, which may hold undecodable bytes as surrogates."""
    name = shown(path)
    return Member(name, size_bytes, sha256, None if name == path else os.fsencode(path).hex(), note)


def encode(manifest: Manifest) -> bytes:
    """Return the file's content."""
    return msgspec.json.encode(manifest) + b"\n"


def decode(content: bytes) -> Manifest:
    """Return the listing. Raises ValueError."""
    try:
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:  # a ValueError on its own only where the values are wrong
        raise ValueError(str(error)) from None


def width(size_bytes: int) -> str:
    """Return a number of bytes as ``prefix_bytes`` holds it."""
    return f"{size_bytes:020d}"


def find_start(tail: bytes) -> int | None:
    """Return where the listing's member begins, from the bytes that end with its content and padding."""
    found = _START.search(tail)
    return int(found[1]) if found else None
