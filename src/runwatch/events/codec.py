"""The one wire form of events: a JSON object a line, ``type`` first.

No clock, no path, no I/O. Source: record.md, "The journal".
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Union

import msgspec

from runwatch.events import calls, lifecycle, measures, notices, work
from runwatch.events.envelope import Event, event_type
from runwatch.events.notices import Unknown

TYPES: dict[str, type[Event]] = {
    event_type(value): value
    for module in (lifecycle, calls, work, measures, notices)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Event) and value is not Event
}
"""Wire name to class, for every type of the table."""

FIELDS = {name: frozenset(cls.__struct_fields__) for name, cls in TYPES.items()}
_MARK = b'{"type":'
_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`(?: - at `\$\.?(?P<field>[^`]*)`)?")
_BEYOND = re.compile(r"Expected `(?:int|float)` (?P<bound>[<>]=) (?P<most>\S+)(?: - at `\$\.?(?P<field>[^`]*)`)?")
_NO_STEP = re.compile(r"Expected `int` [<>]= \d+ - at `\$\.step`\Z")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_encoder = msgspec.json.Encoder(enc_hook=str)
_head = msgspec.json.Decoder(Unknown)


UNUSUAL = (msgspec.DecodeError, UnicodeDecodeError)
"""What the fast decoder raises."""


class Unreadable(ValueError):
    """A line that is no event; the message says why."""


looking = threading.Lock()
"""Held while msgspec looks into a type, as it does when it first meets one. A second thread that meets the same type
meanwhile finds half of that and the process ends with SIGSEGV (seen with 0.22); so does a child forked meanwhile."""
_known: set[type[Event]] = set()
_decoders: dict[bool, Callable[[bytes], Any]] = {}


def _know(cls: type[Event]) -> None:
    """Have msgspec look into a type, once."""
    with looking:
        msgspec.json.Decoder(cls)
        _known.add(cls)


def _decoder(strict: bool) -> Callable[[bytes], Any]:
    """Return what decodes a line of any known type; made when first needed, since many programs only write."""
    found = _decoders.get(strict)
    if found is None:
        with looking:
            decoder = msgspec.json.Decoder(Union[tuple(TYPES.values())], strict=strict)  # noqa: UP007 - at run time
            found = _decoders[strict] = decoder.decode
    return found


def encode(event: Event) -> bytes:
    """Return one journal line, line feed included. Values that JSON lacks become their ``str``."""
    return _encoder.encode(event) + b"\n"


def build(type_name: str, fields: dict[str, Any]) -> Event | dict[str, Any]:
    """Make a typed event from a name and plain fields (envelope fields included).

    Numbers given as text are taken as numbers; unknown fields are kept in a plain mapping, as is an unknown type.
    Raises Unreadable where a field of a known type has a value that cannot be meant.
    """
    cls = TYPES.get(type_name)
    if cls is None or not fields.keys() <= FIELDS[type_name]:
        wire = {"type": type_name, **fields}
        if cls is not None:
            _convert(fields, cls, type_name)
        return wire
    return _convert(fields, cls, type_name)


def _convert(fields: dict[str, Any], cls: type[Event], type_name: str) -> Event:
    if cls not in _known:
        _know(cls)
    try:
        return msgspec.convert({**fields, "type": type_name}, cls, strict=False)
    except msgspec.ValidationError as error:
        said = _BEYOND.sub(_beyond_in_words, _EXPECTED.sub(_in_words, str(error)))
        raise Unreadable(f"{type_name}: {said}") from None


def _in_words(match: re.Match[str]) -> str:
    """Return what a validation error says of types as people call them."""
    kinds = [_KINDS.get(kind, kind) for kind in match["expected"].split(" | ") if kind != "null"]
    return f"{match['field'] or 'the event'} must be {' or '.join(kinds)}, not {_KINDS.get(match['got'], match['got'])}"


def _beyond_in_words(match: re.Match[str]) -> str:
    """Return what a validation error says of a number that nobody means as people say it."""
    bound = "at least" if match["bound"] == ">=" else "at most"
    return f"{match['field'] or 'the event'} must be {bound} {match['most']}"


def encode_any(event: Event | dict[str, Any]) -> bytes:
    """Return one journal line for what build() made."""
    return _encoder.encode(event) + b"\n"


def decode(line: bytes) -> Event | Unknown:
    """Return the event of one journal line, with or without its line feed.

    A type that this version does not know becomes Unknown. Raises Unreadable for anything else.
    """
    try:
        return _decoder(True)(line)  # type: ignore[no-any-return]  # union built at run time
    except UNUSUAL:
        return decode_unusual(line)


def fast_decoder() -> Callable[[bytes], Event]:
    """Return what decodes a line as runwatch writes it; of others it raises one of UNUSUAL: ask ``decode_unusual``."""
    return _decoder(True)


def decode_unusual(line: bytes) -> Event | Unknown:
    """Return the event of a line of a foreign writer or of a later version. Raises Unreadable."""
    try:
        head = _head.decode(line)
        if head.type in TYPES:
            return _tolerantly(line)
    except (*UNUSUAL, RecursionError) as error:
        raise Unreadable(str(error)) from None
    return head


def _tolerantly(line: bytes) -> Event:
    """Return the event of a line with numbers written as text; a number that no step has is passed over."""
    read = _decoder(False)
    try:
        return read(line)  # type: ignore[no-any-return]  # union built at run time
    except msgspec.ValidationError as error:
        if _NO_STEP.match(str(error)) is None:
            raise
        fields = {name: value for name, value in msgspec.json.decode(line).items() if name != "step"}
        return read(_encoder.encode(fields))  # type: ignore[no-any-return]  # as above


def salvage(line: bytes) -> Event | Unknown | None:
    """Return the acknowledged event that a torn line in front of it hides, or None.

    A kill in the middle of a large write glues the next writer's line to the torn one: what follows the last
    decodable ``{"type":`` is whole. Unbalanced nested objects never decode, so at most one suffix does.
    """
    at = line.rfind(_MARK)
    tries = 0
    while at > 0 and tries < 64:
        try:
            return decode(line[at:])
        except Unreadable:
            at = line.rfind(_MARK, 0, at)
            tries += 1
    return None
