"""The parts of a gzip file: whole for every reader, and each piece readable alone."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.finalize import deflate
from runwatch.finalize.gzip_member import (
    HEADER,
    LAST_BLOCK,
    STORED_LAST,
    ZEROS,
    ending,
    is_piece_of,
    piece,
    stored,
)

STORED = b"listing" * 200


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_the_whole_is_one_member_and_every_piece_inflates_alone(pieces: list[bytes]) -> None:
    whole = b"".join(pieces) + STORED
    raw = HEADER + b"".join(map(piece, pieces)) + stored(STORED, STORED_LAST) + ending(zlib.crc32(whole), len(whole))
    inflater = zlib.decompressobj(31)
    assert inflater.decompress(raw) == whole + bytes(ZEROS)
    assert (inflater.eof, inflater.unused_data) == (True, b"")
    for data in pieces:
        assert zlib.decompressobj(-15).decompress(piece(data)) == data
        assert is_piece_of(piece(data), data)
        assert not is_piece_of(piece(data), data + b"x")
        assert not is_piece_of(piece(data + b"x"), data)
        assert not is_piece_of(piece(data) + piece(b"x"), data)


def test_what_is_no_deflate_stream_is_no_piece() -> None:
    assert not is_piece_of(b"\xff" * 100, b"x")
    assert not is_piece_of(piece(b"hello")[:3], b"hello")


def test_the_last_block_is_what_it_stands_for() -> None:
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(LAST_BLOCK) == bytes(ZEROS)
    assert (inflater.eof, inflater.unused_data) == (True, b"")


def test_data_longer_than_a_stored_block_is_stored_in_several() -> None:
    data = bytes(range(256)) * 1000
    for last in (0, STORED_LAST):
        raw = HEADER + stored(data, last) + ending(zlib.crc32(data), len(data))
        assert gzip.decompress(raw) == data + bytes(ZEROS)


@pytest.mark.parametrize("library", ["isal", "zlib"])
@given(st.binary(max_size=500), st.binary(max_size=500), st.integers(0, 1 << 40))
def test_checksums_combine_as_their_data_would(library: str, first: bytes, second: bytes, zeros: int) -> None:
    module = pytest.importorskip("isal.isal_zlib") if library == "isal" else zlib
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deflate, "_library", lambda: (library, module))
        combined = deflate.crc32_combine(zlib.crc32(first), zlib.crc32(second), len(second))
        assert combined == zlib.crc32(first + second)
        there = deflate.crc32_combine(combined, 0, zeros)
        assert deflate.crc32_combine(there, 0, 1 << 33) == deflate.crc32_combine(combined, 0, zeros + (1 << 33))
