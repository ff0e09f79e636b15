"""The fastest deflate at hand: ISA-L where it is installed, else zlib.

Must not know what is compressed. Both write the same format; the bytes differ. **Source**: RFC 1951; measured in
targets.md, "Archive and commit, as measured".
"""

from __future__ import annotations

import functools
from typing import Any, Protocol

NO_FLUSH, FULL_FLUSH = 0, 3
"""Flush modes, the same numbers in zlib and ISA-L."""

_LEVELS = {"isal": 2, "zlib": 4}
"""About the size of gzip's default: 1.1 times, at ten times (isal) and twice (zlib) its speed."""


class Compressor(Protocol):
    """One raw deflate stream in the making."""

    def compress(self, data: Any, /) -> bytes:
        """Take data; return what is ready."""

    def flush(self, mode: int = ..., /) -> bytes:
        """Return the rest; with FULL_FLUSH aligned to a byte, and nothing after it refers to what was before."""


class Inflater(Protocol):
    """One raw deflate stream being read."""

    eof: bool
    """Whether the block marked as the last was read."""
    unconsumed_tail: bytes
    """Input that ``max_length`` kept from being read."""
    unused_data: bytes
    """What followed the last block."""

    def decompress(self, data: Any, max_length: int = ..., /) -> bytes:
        """Take input; return at most ``max_length`` bytes of output."""


@functools.cache
def _library() -> tuple[str, Any]:
    try:
        from isal import isal_zlib
    except ImportError:
        import zlib

        return "zlib", zlib
    return "isal", isal_zlib


def compressor() -> Compressor:
    """Return a new raw deflate stream."""
    name, library = _library()
    made: Compressor = library.compressobj(_LEVELS[name], library.DEFLATED, -15)
    return made


def inflater() -> Inflater:
    """Return a reader of a raw deflate stream."""
    made: Inflater = _library()[1].decompressobj(-15)
    return made


def crc32(data: bytes | memoryview, value: int = 0) -> int:
    """Return the CRC-32 of data that follows data whose CRC-32 is ``value``."""
    found: int = _library()[1].crc32(data, value)
    return found


def crc32_combine(first: int, second: int, second_bytes: int) -> int:
    """Return the CRC-32 of two stretches of data, from the CRC-32 of each and the length of the second.

    **Source** of the way without ISA-L: zlib 1.2.12, crc32.c, ``multmodp`` and ``x2nmodp``.
    """
    name, library = _library()
    if name == "isal":
        found: int = library.crc32_combine(first, second, second_bytes)
        return found
    shift, square, left = _ONE, _X >> 7, second_bytes  # x⁸: one byte of zeros
    while left:
        if left & 1:
            shift = _product(square, shift)
        square = _product(square, square)
        left >>= 1
    return _product(shift, first) ^ second


_ONE, _X, _POLYNOMIAL = 1 << 31, 1 << 30, 0xEDB88320


def _product(a: int, b: int) -> int:
    """Multiply two polynomials modulo that of the CRC-32, bits reflected."""
    result = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            result ^= b
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return result


def failures() -> tuple[type[Exception], ...]:
    """Return what an inflater raises when its input is no deflate stream."""
    return (_library()[1].error,)
