"""Packed blocks give back what was put in, as it was set last."""

from __future__ import annotations

import random

import msgspec
import pytest

from runwatch.fold.blocks import SIZE, Blocks


def blocks(*, keep_first: bool = False) -> Blocks[list[int]]:
    return Blocks(msgspec.msgpack.encode, msgspec.msgpack.decode, keep_first=keep_first)


@pytest.mark.parametrize("keep_first", [False, True])
def test_values_that_were_set_again_are_found_wherever_they_lie(keep_first: bool) -> None:
    held, rng = blocks(keep_first=keep_first), random.Random(7)
    expected = []
    for number in range(12 * SIZE):
        assert held.append([number]) == number
        expected.append([number])
        for at in (rng.randrange(len(expected)) for _ in range(3)):
            held[at] = expected[at] = [at, rng.randrange(99)]
    assert len(held) == 12 * SIZE
    assert [held[number] for number in range(12 * SIZE)] == expected
    order = rng.sample(range(12 * SIZE), 500)
    assert [held[number] for number in order] == [expected[number] for number in order]


def test_the_last_block_and_the_first_where_it_is_kept_are_the_same_objects() -> None:
    held = blocks(keep_first=True)
    values = [[number] for number in range(9 * SIZE)]
    for value in values:
        held.append(value)
    for number in (*range(SIZE), *range(8 * SIZE, 9 * SIZE)):
        assert held[number] is values[number]
    assert held[3 * SIZE] is not values[3 * SIZE]


def test_what_is_forgotten_is_gone_and_the_rest_keeps_its_numbers() -> None:
    held = blocks()
    for number in range(10 * SIZE):
        held.append([number])
        held.forget_before(number - 2 * SIZE)
    assert [held[number] for number in range(8 * SIZE, 10 * SIZE)] == [[n] for n in range(8 * SIZE, 10 * SIZE)]
    with pytest.raises(IndexError):
        held[SIZE]
