"""The parts of a gzip file of one member: its header, pieces that can be inflated alone, stored blocks, its end.

Must not start a second member: Python's streaming reader, Ruby and Perl read the first alone and say nothing. Nothing
here knows what the bytes mean, or writes them. **Source**: RFC 1952, section 2.3; RFC 1951, section 3.2.4.
"""

from __future__ import annotations

import struct

from runwatch.finalize.deflate import FULL_FLUSH, compressor, crc32, crc32_combine, failures, inflater

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no flags, no time, an unknown system: the same for every archive, so that any change in it shows."""
ZEROS = 1024
"""How many zero bytes LAST_BLOCK stands for: the two blocks that end a tar file."""
LAST_BLOCK = bytes.fromhex("63601805a360148c540000")
"""ZEROS zero bytes as a raw deflate stream that ends here; one way of many to write them, and the only one accepted."""
STORED_MAX = 65535
"""Bytes in a stored block."""
STORED_LAST = 1024
"""Bytes in the last stored block of the listing, so that a reader finds it from the end of the file."""
STORED_HEADER = struct.Struct("<BHH")
"""Type (0: stored, not the last), length, length inverted."""
TRAILER = struct.Struct("<II")
"""CRC-32 and length of what was compressed, the length modulo 2³²."""


def piece(raw: bytes | bytearray) -> bytes:
    """Return data as a part of a deflate stream that ends at a whole byte and can be inflated alone."""
    made = compressor()
    return made.compress(raw) + made.flush(FULL_FLUSH)


def is_piece_of(packed: bytes, raw: bytes | bytearray) -> bool:
    """Whether a piece, inflated alone, is ``raw`` and nothing more."""
    reader = inflater()
    try:
        found = reader.decompress(packed, len(raw) + 1)  # room for one byte too many
    except failures():
        return False
    return found == raw and not reader.unconsumed_tail and not reader.eof


def stored(data: bytes, last_bytes: int = 0) -> bytes:
    """Return data as stored blocks; the last one has ``last_bytes`` where they are given.

    They stand directly behind a piece. Every bit of them counts, whereas a piece has bits that no reader looks at.
    """
    body, last = data[: len(data) - last_bytes], data[len(data) - last_bytes :]
    blocks = [body[at : at + STORED_MAX] for at in range(0, len(body), STORED_MAX)]
    return b"".join(
        STORED_HEADER.pack(0, len(block), len(block) ^ 0xFFFF) + block for block in (*blocks, last) if block
    )


def ending(crc: int, raw_bytes: int) -> bytes:
    """Return ZEROS zero bytes and the trailer, for a file whose blocks so far hold data of this CRC-32 and length."""
    return LAST_BLOCK + TRAILER.pack(*checksum_with_ending(crc, raw_bytes))


def checksum_with_ending(crc: int, raw_bytes: int) -> tuple[int, int]:
    """Return CRC-32 and length modulo 2³² as the trailer has them, for data that the ending follows."""
    return crc32_combine(crc, crc32(bytes(ZEROS)), ZEROS), (raw_bytes + ZEROS) & 0xFFFFFFFF
