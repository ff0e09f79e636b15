"""One gzip file of one member, written piece by piece.

Must not start a second member: Python's streaming reader, Ruby and Perl read the first alone and say nothing. Nothing
here knows what the bytes mean. **Source**: RFC 1952, section 2.3; RFC 1951, section 3.2.4.
"""

from __future__ import annotations

import hashlib
import struct
from typing import BinaryIO

import msgspec

from runwatch.finalize.deflate import FULL_FLUSH, Compressor, compressor, crc32

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no flags, no time, an unknown system: the same for every archive, so that any change in it shows."""
ZEROS = 1024
"""How many zero bytes LAST_BLOCK stands for: the two blocks that end a tar file."""
LAST_BLOCK = bytes.fromhex("63601805a360148c540000")
"""ZEROS zero bytes as a raw deflate stream that ends here; one way of many to write them, and the only one accepted."""
STORED_MAX = 65535
"""Bytes in a stored block."""
STORED_LAST = 1024
"""Bytes in the last stored block, so that a reader finds it from the end of the file."""
STORED_HEADER = struct.Struct("<BHH")
"""Type (0: stored, not the last), length, length inverted."""
TRAILER = struct.Struct("<II")
"""CRC-32 and length of what was compressed, the length modulo 2³²."""


class Piece(msgspec.Struct, frozen=True):
    """A part of the deflate stream that can be inflated alone: nothing in it refers to what was before."""

    end_bytes: int
    """Position in the file behind it."""
    raw_bytes: int
    """Length of what it holds."""
    crc32: int
    """CRC-32 of what it holds."""


class GzipMember:
    """A gzip file in the making. Raises OSError as its file does."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin a new file."""
        self._file = file
        self._sha256 = hashlib.sha256()
        self._compressor: Compressor | None = None
        self._piece_raw = self._piece_crc = 0
        self._crc = 0
        self.raw_bytes = 0
        """Length of what was taken in."""
        self.size_bytes = 0
        """Length of the file so far; behind end_piece() and store() exactly, in between less."""
        self._emit(HEADER)

    def write(self, data: bytes | memoryview) -> None:
        """Compress data into the piece at hand."""
        if self._compressor is None:
            self._compressor = compressor()
        self._emit(self._compressor.compress(data))
        self._crc = crc32(data, self._crc)
        self._piece_crc = crc32(data, self._piece_crc)
        self._piece_raw += len(data)
        self.raw_bytes += len(data)

    def end_piece(self) -> Piece:
        """End the piece at hand at a whole byte; what follows is a piece of its own."""
        if self._compressor is not None:
            self._emit(self._compressor.flush(FULL_FLUSH))
            self._compressor = None
        piece = Piece(self.size_bytes, self._piece_raw, self._piece_crc)
        self._piece_raw = self._piece_crc = 0
        return piece

    def store(self, data: bytes) -> None:
        """Put data in uncompressed, at least STORED_LAST bytes, directly behind end_piece().

        Every bit of stored blocks counts, whereas a compressed one has bits that no reader looks at.
        """
        if self._compressor is not None or len(data) < STORED_LAST:
            raise ValueError("stored data must follow the end of a piece and be long enough")
        body, last = data[:-STORED_LAST], data[-STORED_LAST:]
        for block in (*(body[at : at + STORED_MAX] for at in range(0, len(body), STORED_MAX)), last):
            self._emit(STORED_HEADER.pack(0, len(block), len(block) ^ 0xFFFF) + block)
        self._crc = crc32(data, self._crc)
        self.raw_bytes += len(data)

    def close(self) -> None:
        """End the file with ZEROS zero bytes and the trailer. The file object stays open."""
        self._crc = crc32(bytes(ZEROS), self._crc)
        self.raw_bytes += ZEROS
        self._emit(LAST_BLOCK + TRAILER.pack(self._crc, self.raw_bytes & 0xFFFFFFFF))

    @property
    def sha256(self) -> str:
        """SHA-256 of the file so far, in hex."""
        return self._sha256.hexdigest()

    def _emit(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self.size_bytes += len(data)
