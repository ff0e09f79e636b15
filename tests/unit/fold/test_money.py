"""Money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.fold.money import pico_of, usd_of


@given(st.integers(0, 10**15 - 1))
def test_any_cost_below_a_thousand_dollars_survives_json_to_the_last_digit(pico: int) -> None:
    assert pico_of(usd_of(pico)) == pico
    assert Decimal(repr(usd_of(pico))) == Decimal(pico) / 10**12


@pytest.mark.parametrize("usd", [None, -0.01, float("nan"), float("inf"), 1e300])
def test_what_cannot_be_a_cost_is_none(usd: float | None) -> None:
    assert pico_of(usd) is None


def test_the_digits_that_were_written_count_and_not_the_float() -> None:
    assert pico_of(0.1) == 100_000_000_000
    assert pico_of(1e-13) == 0
