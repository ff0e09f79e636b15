"""Tokens of one call, each with a result computed by hand."""

from __future__ import annotations

import pytest

from runwatch.fold.usage import Raw, has_split, merged, normalized


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # prompt, completion, cache_read, cache_write, reasoning, total
        pytest.param((100, 20, None, None, None, None), (100, 20, 0, 0, 0, 120), id="plain"),
        pytest.param((100, 20, 80, None, None, 120), (100, 20, 80, 0, 0, 120), id="cached inside, as OpenAI counts"),
        pytest.param((10, 20, 80, 5, None, None), (95, 20, 80, 5, 0, 115), id="cached beside, as Anthropic counts"),
        pytest.param((100, 20, 80, None, None, 200), (180, 20, 80, 0, 0, 200), id="cached beside, told by the total"),
        pytest.param((100, 50, None, None, 30, 150), (100, 50, 0, 0, 30, 150), id="reasoning inside"),
        pytest.param((100, 5, None, None, 30, None), (100, 35, 0, 0, 30, 135), id="reasoning beside, as Gemini counts"),
        pytest.param(
            (100, 50, None, None, 30, 180), (100, 80, 0, 0, 30, 180), id="reasoning beside, told by the total"
        ),
        pytest.param((100, 50, 40, 10, 30, 230), (150, 80, 40, 10, 30, 230), id="both beside, told by the total"),
        pytest.param((None, None, None, None, None, 500), (0, 0, 0, 0, 0, 500), id="a total with no split"),
        pytest.param((300, None, None, None, None, 500), (300, 200, 0, 0, 0, 500), id="the other half is what remains"),
        pytest.param((None, 200, None, None, None, 500), (300, 200, 0, 0, 0, 500), id="and the other way round"),
        pytest.param((300, None, None, None, None, None), (300, 0, 0, 0, 0, 300), id="input alone"),
        pytest.param((100, 20, None, None, None, 999), (100, 20, 0, 0, 0, 120), id="a total that fits nothing"),
        pytest.param((-5, 20, None, None, None, None), (0, 20, 0, 0, 0, 20), id="a negative count"),
        pytest.param((-5, None, None, None, None, None), (0, 0, 0, 0, 0, 0), id="a negative half of nothing"),
        pytest.param((None, -5, None, None, None, None), (0, 0, 0, 0, 0, 0), id="and the other way round, too"),
        pytest.param((-5, None, None, None, None, 100), (0, 0, 0, 0, 0, 100), id="a negative half of a total"),
        pytest.param((300, None, None, None, None, 200), (300, 0, 0, 0, 0, 300), id="a total below its half"),
        pytest.param((0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0), id="zeros"),
        pytest.param(None, (0, 0, 0, 0, 0, 0), id="nothing"),
    ],
)
def test_counts_are_normalized(raw: Raw | None, expected: tuple[int, ...]) -> None:
    assert normalized(raw) == expected


def test_of_a_call_told_twice_each_number_is_the_larger() -> None:
    assert merged((100, 1, None, None, None, None), (None, 350, 40, None, None, None)) == (
        100, 350, 40, None, None, None,
    )  # fmt: skip
    assert merged(None, (1, 2, None, None, None, None)) == (1, 2, None, None, None, None)
    assert merged((1, 2, None, None, None, None), None) == (1, 2, None, None, None, None)
    assert merged(None, None) is None


def test_a_price_needs_input_and_output_apart() -> None:
    assert has_split((1, None, None, None, None, None))
    assert not has_split((None, None, None, None, None, 5))
    assert not has_split(None)
