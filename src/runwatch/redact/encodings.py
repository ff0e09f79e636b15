"""A text as it reads once escapes are undone, with the way back to the places in the text as it stands.

Must not know what is looked for in it.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator

_MOST_LAYERS = 3
"""JSON in JSON in a URL: deeper is nobody's log."""
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
"""Characters of no width, as a character class: between two others nobody sees them, and no shape holds them."""
_CONTROL = (
    r"(?:(?:\x1b|\u241b|\\(?:033|e|E)|\^\[)\[|\x9b|<U\+009B>)[0-9;:?]{0,32}[A-Za-z]"
    r"|(?:\x1b|\u241b)(?:\][^\x07\x1b\u2407\u241b]{0,300}(?:[\x07\u2407]|[\x1b\u241b]\\)|[()][A-Z0-9])"
    r"|[\x00-\x08\x0e-\x1a\x7f\u2400-\u2408\u240e-\u241a\u2421]"
)
"""What a terminal obeys and does not show, as it is and as `visible` or a program's text has it: colors, links, a bell.

**Source**: ECMA-48, sections 5.4 and 8.3.
"""
_NEXT = r"(?:%|\\x)[89ABab][0-9A-Fa-f]"
_ESCAPE = re.compile(
    rf"""(?P<utf8>(?:%|\\x)(?:(?:[Cc][2-9A-Fa-f]|[Dd][0-9A-Fa-f]){_NEXT}|[Ee][0-9A-Fa-f](?:{_NEXT}){{2}}"""
    rf"""|[Ff][0-4](?:{_NEXT}){{3}}))|"""
    r"""\\u(?P<pair>[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2})|\\u\{?(?P<u>[0-9A-Fa-f]{4})\}?|\\x(?P<x>[0-9A-Fa-f]{2})|%(?P<p>[0-9A-Fa-f]{2})|&\#x(?P<hx>[0-9A-Fa-f]{1,5});"""
    r"""|&\#(?P<hd>\d{1,6});|&(?P<name>amp|quot|apos|lt|gt);|\\(?P<c>[nrtbf])|(?P<quoted>'"'"'|'\\'')"""
    r"""|(?P<control>"""
    + _CONTROL
    + r""")|\\(?P<literal>[^A-Za-z0-9\s])|(?P<wrap>\\\n)|(?P<unseen>["""
    + _UNSEEN
    + "]+)"
)
_INTRODUCES_BYTE = re.compile(r"%|\\x")
_NAMES = {"amp": "&", "quot": '"', "apos": "'", "lt": "<", "gt": ">"}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_MAY_HAVE_ESCAPES = re.compile(r"""[\\%&\x00-\x08\x0e-\x1b\x7f]|\^\[|'"'""")
_HAS_UNSEEN = re.compile(f"[{_UNSEEN}\x9b\u2400-\u2421]|<U\\+009B>")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}(?![A-Za-z0-9+/_-])")
_HEX = re.compile(r"[0-9A-Fa-f]{12,}")
_PROBE = 16
_PRINTABLE = re.compile(rb"[\t\r\n -~]+")
_MAY_BE_TEXT = re.compile(rb"[\t\r\n -~\x80-\xff]+")
_URL_SAFE = str.maketrans("-_", "+/")


class Decoded:
    """A text with one layer of escapes undone."""

    __slots__ = ("_after", "_places", "text")

    def __init__(self, raw: str) -> None:
        self._places: list[int] = []
        self._after: list[int] = []
        parts: list[str] = []
        length = taken = 0
        for match in _ESCAPE.finditer(raw):
            character = _character(match)
            parts += (raw[taken : match.start()], character)
            length += match.start() - taken
            taken = match.end()
            self._places.append(length)
            self._after.append(match.end() - len(character))
            length += len(character)
        parts.append(raw[taken:])
        self.text = "".join(parts)
        """The text as it reads."""

    def origin(self, place: int) -> int:
        """Return where in the raw text the character at a place begins."""
        last = bisect_left(self._places, place) - 1
        return place if last < 0 else self._after[last] + place - self._places[last]


def decoded(text: str) -> Iterator[tuple[str, list[Decoded]]]:
    """Yield the text with one, two … layers of escapes undone, each with the layers that lead back to it."""
    layers: list[Decoded] = []
    while len(layers) < _MOST_LAYERS and _may_have_escapes(text):
        layer = Decoded(text)
        if layer.text == text:
            return
        layers = [layer, *layers]
        text = layer.text
        yield text, layers


def _may_have_escapes(text: str) -> bool:
    if _MAY_HAVE_ESCAPES.search(text) is not None:
        return True
    return not text.isascii() and _HAS_UNSEEN.search(text) is not None


def original(span: tuple[int, int], layers: list[Decoded]) -> tuple[int, int]:
    """Return the place in the text as it stands of a place in a decoded one."""
    start, end = span
    for layer in layers:
        start, end = layer.origin(start), layer.origin(end)
    return start, end


def in_base64(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each place of a text that is printable text in base64, and what it says. **Source**: RFC 4648, 4 and 5."""
    for match in _BASE64.finditer(text):
        word = match[0].translate(_URL_SAFE)
        if _MAY_BE_TEXT.fullmatch(_bytes(word[:_PROBE])) is not None and (said := _text(_bytes(word))):
            yield match.start(), match.end(), said


def hex_digits(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each long row of hexadecimal digits, and the printable text that it says, empty where that is none."""
    for match in _HEX.finditer(text):
        digits = match[0]
        if _PRINTABLE.fullmatch(bytes.fromhex(digits[: _PROBE // 2])) is None:
            yield match.start(), match.end(), ""
            continue
        data = bytes.fromhex(digits[: len(digits) - len(digits) % 2])
        yield match.start(), match.end(), data.decode("ascii") if _PRINTABLE.fullmatch(data) else ""


def _text(data: bytes) -> str:
    """Return what bytes say; nothing where they are no printable text."""
    if _MAY_BE_TEXT.fullmatch(data) is None:
        return ""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _bytes(word: str) -> bytes:
    """Return what a base64 text without padding says; a lone last character is left out."""
    whole = word[: len(word) - (len(word) % 4 == 1)]
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4))
    except binascii.Error:
        return b""


def _character(match: re.Match[str]) -> str:
    kind, value = match.lastgroup, match[match.lastgroup or 0]
    if kind == "utf8":  # a character of several bytes, each escaped by itself
        return bytes.fromhex(_INTRODUCES_BYTE.sub("", value)).decode("utf-8", "replace")
    if kind == "pair":
        return bytes.fromhex(value.replace("\\u", "")).decode("utf-16-be")
    if kind in ("u", "x", "p", "hx"):
        return chr(int(value, 16))
    if kind == "hd":
        return chr(min(int(value), 0x10FFFF))
    if kind == "quoted":
        return "'"
    if kind in ("control", "wrap", "unseen"):
        return ""
    return _NAMES.get(value) or (_CONTROLS[value] if kind == "c" else value)
