"""Lines by block: counted here, estimated there, and found by row either way."""

from __future__ import annotations

import random

from runwatch.journal.line_table import LineTable


def test_rows_and_blocks_answer_each_other_whatever_is_counted_when() -> None:
    chance = random.Random(1)
    table, plain = LineTable(), list[int]()
    for _ in range(60):
        room, estimate = chance.randrange(1, 60), chance.randrange(4)
        table.grow(len(plain) + room, estimate)
        plain += [estimate] * room
        for block in chance.sample(range(len(plain)), min(20, len(plain))):
            plain[block] = chance.choice([0, 0, 1, 400])
            table.set(block, plain[block])
            assert table.known(block)
        assert table.total == sum(plain)
        for block in chance.sample(range(len(plain)), 5):
            assert table.before(block) == sum(plain[:block])
            assert table.count(block) == plain[block]
        rows = [(block, line) for block, lines in enumerate(plain) for line in range(lines)]
        for row in chance.sample(range(len(rows)), min(20, len(rows))):
            assert table.find(row) == rows[row]


def test_what_is_added_to_a_group_that_was_summed_up_counts() -> None:
    table = LineTable()
    table.grow(10, 2)
    assert table.find(19) == (9, 1)
    table.grow(300, 1)
    assert table.find(21) == (11, 0)
    assert table.before(256) == 20 + 246
    assert table.find(20 + 246) == (256, 0)


def test_growing_to_less_changes_nothing() -> None:
    table = LineTable()
    table.grow(300, 2)
    table.grow(5, 9)
    assert (len(table), table.total) == (300, 600)
    assert not table.known(1000)
