"""The steps that one process has open."""

from __future__ import annotations

from runwatch.sdk.step_book import StepBook


def test_the_step_opened_last_and_still_open_is_the_current_one() -> None:
    book = StepBook()
    assert [book.open(None, 1.0), book.open(None, 2.0), book.current] == [1, 2, 2]
    assert book.close(1) == 1.0
    assert book.current == 2
    assert book.close(2) == 2.0
    assert (book.current, book.close(2)) == (None, None)


def test_a_process_starts_in_the_step_it_was_given_and_goes_back_to_it() -> None:
    book = StepBook()
    book.start_in(4)
    assert book.current == 4
    assert book.close(4) is None, "it is not this process's to close"
    assert book.open(None, 0.0) == 5
    book.close(5)
    assert book.current == 4


def test_numbers_that_others_took_are_not_given_again() -> None:
    book = StepBook()
    book.skip_to(9)
    assert book.open(None, 0.0) == 10


def test_a_forked_child_is_in_its_parents_step_and_cannot_close_it() -> None:
    book = StepBook()
    book.open(3, 0.0)
    book.after_fork()
    assert (book.current, book.close(3), book.current) == (3, None, 3)
