"""Which step the output belongs to."""

from __future__ import annotations

from runwatch.record.steps import StepBook


def test_numbers_go_on_after_the_highest_one() -> None:
    book = StepBook()
    assert [book.open("sdk"), book.open("sdk", 7), book.open("marker")] == [1, 7, 8]


def test_the_step_at_hand_is_the_one_opened_last_that_is_still_open() -> None:
    book = StepBook()
    first, second = book.open("sdk"), book.open("sdk")
    book.close(second)
    assert book.current == first
    book.close(first)
    book.close(first)
    assert book.current is None


def test_opening_a_step_again_makes_it_the_one_at_hand() -> None:
    book = StepBook()
    first = book.open("shell")
    book.open("shell")
    book.open("shell", first)
    assert book.current == first
    assert book.last_open("marker") is None
    assert book.last_open("shell", "sdk") == first
