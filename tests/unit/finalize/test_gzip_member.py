"""A gzip file written in pieces: whole for every reader, and each piece readable alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.finalize.gzip_member import HEADER, LAST_BLOCK, ZEROS, GzipMember, Piece

STORED = b"listing" * 200


def written(pieces: list[bytes]) -> tuple[bytes, list[Piece], GzipMember]:
    """Write each of ``pieces`` as one, then STORED, then the end."""
    file = io.BytesIO()
    member = GzipMember(file)
    ends = []
    for data in pieces:
        member.write(data)
        ends.append(member.end_piece())
    member.store(STORED)
    member.close()
    return file.getvalue(), ends, member


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_the_whole_is_one_member_and_every_piece_inflates_alone(pieces: list[bytes]) -> None:
    raw, ends, member = written(pieces)
    inflater = zlib.decompressobj(31)
    assert inflater.decompress(raw) == b"".join(pieces) + STORED + bytes(ZEROS)
    assert (inflater.eof, inflater.unused_data) == (True, b"")
    assert (member.size_bytes, member.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    start = len(HEADER)
    for data, end in zip(pieces, ends, strict=True):
        assert zlib.decompressobj(-15).decompress(raw[start : end.end_bytes]) == data
        assert (end.raw_bytes, end.crc32) == (len(data), zlib.crc32(data))
        start = end.end_bytes


def test_the_last_block_is_what_it_stands_for() -> None:
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(LAST_BLOCK) == bytes(ZEROS)
    assert (inflater.eof, inflater.unused_data) == (True, b"")


def test_data_longer_than_a_stored_block_is_stored_in_several() -> None:
    file = io.BytesIO()
    member = GzipMember(file)
    data = bytes(range(256)) * 1000
    member.store(data)
    member.close()
    assert gzip.decompress(file.getvalue()) == data + bytes(ZEROS)


def test_data_cannot_be_stored_in_the_middle_of_a_piece() -> None:
    member = GzipMember(io.BytesIO())
    member.write(b"x")
    with pytest.raises(ValueError, match="must follow the end of a piece"):
        member.store(STORED)
