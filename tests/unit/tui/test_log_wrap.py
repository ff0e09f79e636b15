"""What is in sight of rows that take several lines."""

from __future__ import annotations

import random

import pytest

from runwatch.tui.widgets.log_wrap import Place, Wrapping


def wrapping(lines: list[int]) -> Wrapping:
    return Wrapping(lambda row: lines[row] if 0 <= row < len(lines) else 0)


def test_the_end_stands_at_the_bottom_and_few_rows_at_the_top() -> None:
    found = wrapping([1, 3, 2, 4]).places(0, None, 3, 5)
    assert found == [Place(2, 1), Place(3, 0), Place(3, 1), Place(3, 2), Place(3, 3)]
    assert wrapping([1, 2]).places(0, None, 1, 5) == [Place(0, 0), Place(1, 0), Place(1, 1)]
    assert wrapping([]).places(0, None, -1, 5) == []


def test_a_jump_begins_with_its_row() -> None:
    shown = wrapping([3] * 20)
    shown.places(0, None, 19, 6)
    assert shown.places(4, 4, 19, 6)[0] == Place(4, 0)


def test_moving_the_cursor_within_the_view_moves_nothing_and_beyond_it_one_row() -> None:
    shown = wrapping([2] * 20)
    first = shown.places(5, 5, 19, 6)
    assert shown.places(5, 7, 19, 6) == first
    assert shown.places(5, 8, 19, 6) == [Place(row, part) for row in (6, 7, 8) for part in (0, 1)]
    assert shown.places(5, 7, 19, 6)[0] == Place(6, 0)


def test_rows_that_come_above_move_nothing() -> None:
    shown = wrapping([2] * 40)
    shown.places(5, 5, 39, 6)
    shown.places(5, 9, 39, 6)
    assert [place.row for place in shown.places(15, 19, 39, 6)] == [17, 17, 18, 18, 19, 19]


@pytest.mark.parametrize("seed", range(20))
def test_wherever_it_stands_the_cursor_is_in_sight_and_lines_follow_each_other(seed: int) -> None:
    chance = random.Random(seed)
    lines = [chance.choice([1, 1, 1, 2, 5]) for _ in range(60)]
    shown, every = wrapping(lines), [Place(row, part) for row in range(60) for part in range(lines[row])]
    for _ in range(200):
        cursor = chance.choice([None, *range(60)])
        top = max(0, (59 if cursor is None else cursor) - chance.randrange(12))
        found = shown.places(top, cursor, 59, 12)
        begin = every.index(found[0])
        assert found == every[begin : begin + 12]
        assert len(found) == 12
        assert Place(59 if cursor is None else cursor, 0) in found or lines[cursor or 59] > 1
        assert any(place.row == (59 if cursor is None else cursor) for place in found)
