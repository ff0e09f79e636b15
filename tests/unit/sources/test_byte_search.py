"""Searching a large buffer with the C library: it never passes over what is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runwatch.sources.byte_search import lacks

NEEDLES = (b"\n::", b"section_")


@given(st.lists(st.sampled_from([b"\n", b":", b"::", b"\n::", b"section", b"_", b"\0", b"x" * 70, b"\xff"])), st.data())
def test_it_says_lacking_only_where_nothing_is_and_always_without_zero_bytes(
    parts: list[bytes], data: st.DataObject
) -> None:
    buffer = bytearray(b"".join(parts))
    count = data.draw(st.integers(0, len(buffer)))
    text = bytes(buffer[:count])
    there = any(needle in text for needle in NEEDLES)
    assert lacks(buffer, count, NEEDLES) == (not there and b"\0" not in text)
    assert buffer[:count] == text


def test_what_stands_behind_the_piece_does_not_count() -> None:
    buffer = bytearray(b"abc\n::group::")
    assert not lacks(buffer, 6, NEEDLES)
    assert lacks(buffer, 5, NEEDLES)


def test_a_buffer_that_is_being_looked_at_elsewhere_can_be_searched() -> None:
    buffer = bytearray(b"x" * 4096)
    view = memoryview(buffer)[:100]
    assert lacks(buffer, 4096, NEEDLES)
    assert view == b"x" * 100
