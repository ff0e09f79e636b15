"""Numbers of attempts."""

from __future__ import annotations

from runwatch.fold.numbering import Numbering


def test_a_number_that_is_taken_gives_way_to_the_next() -> None:
    numbers = Numbering()
    assert [numbers.take(said) for said in (1, 1, None, 1, 7, None, 7)] == [1, 2, 3, 4, 7, 8, 9]


def test_numbers_that_were_passed_over_are_free_whatever_the_order() -> None:
    numbers = Numbering()
    assert [numbers.take(said) for said in (3, 1, 2, 2, None)] == [3, 1, 2, 4, 5]


def test_a_number_that_is_said_later_is_taken_where_it_is_free_and_gives_the_other_back() -> None:
    numbers = Numbering()
    first, second = numbers.take(None), numbers.take(None)
    assert (numbers.swap(first, 5), numbers.swap(second, 5), numbers.swap(second, 2)) == (5, 2, 2)
    assert (numbers.take(1), numbers.take(None)) == (1, 6)
    largest = numbers.take(9)
    assert (numbers.swap(largest, 8), numbers.take(None)) == (8, 9), "the largest that is left counts"


def test_a_huge_number_costs_no_memory() -> None:
    numbers = Numbering()
    assert numbers.take(10**12) == 10**12
    assert (numbers.take(None), numbers.take(10**12 - 1)) == (10**12 + 1, 10**12 - 1)
