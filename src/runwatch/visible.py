"""Hostile text made harmless: what a terminal or an editor would obey becomes a glyph that a person can see.

Must not decide what is shown where, and never changes clean text.
"""

from __future__ import annotations

import re

_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
_BREAKS = "\u2028\u2029\ufff9-\ufffb"
_ASCII_OBEYED = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])
_OBEYED = re.compile(f"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff{_BIDIRECTIONAL}{_BREAKS}]")
_COLORS = re.compile(r"\x1b\[[0-9;:]{0,60}m")
_COLOR_BYTES = re.compile(rb"\x1b\[[0-9;:]{0,60}m")


def visible(text: str) -> str:
    """Return the text with every character that would be obeyed shown instead; clean text comes back as it is.

    C0 controls but the tab become control pictures (escape is ``␛``, carriage return ``␍``), lone surrogates ``�``;
    C1 controls, bidirectional controls and Unicode line breaks become ``<U+202E>``. The bodies of OSC and DCS
    sequences are plain text once their introducers are.
    """
    if text.isascii():  # twice as fast as isprintable(), which a tab would fail besides
        if len(text.encode().translate(None, _ASCII_OBEYED)) == len(text):
            return text
    elif text.isprintable():
        return text
    return _OBEYED.sub(_glyph, text)


def _glyph(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= code <= 0xDFFF else f"<U+{code:04X}>"


def without_colors(text: str) -> str:
    """Return the text without its color sequences (SGR); every other sequence stays, and is still to be made visible.

    **Source**: ECMA-48, section 8.3.117, with the colons of ITU-T T.416.
    """
    return _COLORS.sub("", text) if "\x1b[" in text else text


def without_color_bytes(raw: bytes) -> bytes:
    """Return bytes without their color sequences, as ``without_colors`` does."""
    return _COLOR_BYTES.sub(b"", raw) if b"\x1b[" in raw else raw


def visible_bytes(raw: bytes) -> str:
    """Return bytes as visible UTF-8 text; what is no UTF-8 becomes ``�``."""
    return visible(raw.decode("utf-8", "replace"))
