"""Which line of a TOML file sets what; TOML Kit and tomllib both keep that to themselves.

Must not be trusted with more than pointing: a line inside a multi-line text can look like an assignment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?\r?$")
_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_ASSIGNMENT = re.compile(rf"\s*(#?)({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_KEY_PART = re.compile(r"""([A-Za-z0-9_-]+)|"([^"]*)"|'([^']*)'""")


class Line(NamedTuple):
    """A line that opens a table or sets a key."""

    row: int
    """Counted from 0."""
    path: tuple[str, ...]
    """The table, or the key with the tables around it."""
    kind: str
    """`table`, `key`, or `comment` for a key that is commented out."""


def scan(text: str) -> Iterator[Line]:
    """Yield the lines that open a table or set a key."""
    table: tuple[str, ...] = ()
    for row, line in enumerate(text.split("\n")):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield Line(row, table, "table")
        elif assignment := _ASSIGNMENT.match(line):
            yield Line(row, table + _parts(assignment[2]), "comment" if assignment[1] else "key")


def line_of(text: str, path: Sequence[str]) -> int | None:
    """Return the number, from 1, of the line that sets `path`, or of the nearest table around it; None without any."""
    best, best_length = None, 0
    for line in scan(text):
        length = min(len(line.path), len(path))
        if line.kind != "comment" and length > best_length and line.path[:length] == tuple(path[:length]):
            best, best_length = line.row + 1, length
    return best


def _parts(key: str) -> tuple[str, ...]:
    return tuple(bare or double or single for bare, double, single in _KEY_PART.findall(key))
