"""One log record in full: a JSON object as an indented tree of keys and values, anything else as its text.

Must not read a log. Every text is made safe here, line by line; colors are names of theme variables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.cells import cell_len, chop_cells

from runwatch.journal.log_lines import last_state
from runwatch.tui.cells import Line, line
from runwatch.tui.look import DIM
from runwatch.units import count, size
from runwatch.visible import visible

_INDENT = 2
_TAB_CELLS = 4
_MOST_LINES = 20_000
_DEEPEST = 40
_LEAST_ROOM = 16
_LEVELS = {"ERROR": "$rw-level-error", "FATAL": "$rw-level-critical", "WARN": "$rw-level-warn"}


class Part(NamedTuple):
    """One line of a tree before it is fitted."""

    indent: int
    """How deep."""
    key: str
    """What is named; empty for the items of plain lists and for text."""
    text: str
    """Its value."""
    style: str = ""
    """Name of a theme variable."""


def lines(raw: bytes, size_bytes: int, level: str | None, width: int) -> list[Line]:
    """Return the rows of a record, no wider than ``width`` cells."""
    whole = len(raw) == size_bytes
    record = _decoded(raw) if whole else None
    parts = _tree("", record, 0) if isinstance(record, (dict, list)) else _texts(raw, level)
    rows: list[Line] = []
    for part in parts:
        rows += _fitted(part, width)
        if len(rows) >= _MOST_LINES:
            rows[_MOST_LINES:] = [line((f"… more than {count(_MOST_LINES)} lines", DIM))]
            return rows
    if not whole:
        rows.append(line((f"… {size(size_bytes)} in all, of which {size(len(raw))} are shown", DIM)))
    return rows


def text_of(raw: bytes) -> str:
    """Return the whole record as text, for copying."""
    return raw.decode("utf-8", "replace").rstrip("\r\n")


def _decoded(raw: bytes) -> Any:
    raw = last_state(raw)
    if raw.lstrip()[:1] not in (b"{", b"["):
        return None
    for decode in (msgspec.json.decode, json.loads):
        try:
            return decode(raw)
        except (ValueError, RecursionError):
            continue
    return None


def _tree(key: str, value: Any, depth: int) -> Iterator[Part]:
    """Yield a value with all below it; beyond a depth nobody reads, as JSON."""
    if isinstance(value, (dict, list)) and value and depth < _DEEPEST:
        if key:
            yield Part(depth - 1, key, "")
        named = (
            value.items() if isinstance(value, dict) else ((f"[{number}]", each) for number, each in enumerate(value))
        )
        for name, each in named:
            yield from _tree(str(name), each, depth + 1)
        return
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    style = "" if isinstance(value, str) else "$accent"
    if "\n" not in text.rstrip("\n"):
        yield Part(max(depth - 1, 0), key, text, style)
        return
    yield Part(max(depth - 1, 0), key, "")
    for each in text.rstrip("\n").split("\n"):
        yield Part(depth, "", each, style)


def _texts(raw: bytes, level: str | None) -> Iterator[Part]:
    """Yield text line by line, of lines that were redrawn every state."""
    for number, each in enumerate(raw.rstrip(b"\r\n").split(b"\n")):
        states = each.rstrip(b"\r").split(b"\r")
        for state in states[:-1]:
            yield Part(0, "", state.decode("utf-8", "replace"), DIM)
        yield Part(0, "", states[-1].decode("utf-8", "replace"), _LEVELS.get(level or "", "") if not number else "")


def _fitted(part: Part, width: int) -> Sequence[Line]:
    before = " " * min(part.indent * _INDENT, max(width - _LEAST_ROOM, 0))
    key = _safe(part.key) + (": " if part.text else ":") if part.key else ""
    if cell_len(key) > max(width - len(before) - _LEAST_ROOM, _LEAST_ROOM):
        key = key[: max(width - len(before) - _LEAST_ROOM - 3, 8)] + "…: "
    room = max(width - len(before) - cell_len(key), 1)
    chunks = chop_cells(_safe(part.text), room) or [""]
    hanging = " " * (len(before) + cell_len(key))
    first = line(before, (key, DIM), (chunks[0], part.style))
    return [first, *(line(hanging, (chunk, part.style)) for chunk in chunks[1:])]


def _safe(text: str) -> str:
    return visible(text).expandtabs(_TAB_CELLS)
