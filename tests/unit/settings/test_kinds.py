"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest

from runwatch.settings.kinds import DURATION, REGEX, SIZE


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(90, 90), (0.5, 0.5), ("45s", 45), ("2h 30m", 9000), ("1d", 86400), ("1.5h", 5400), ("250ms", 0.25), ("90", 90)],
)
def test_a_duration_is_read(written: object, seconds: float) -> None:
    assert DURATION.read(written) == seconds


@pytest.mark.parametrize("written", ["", "2h 3x", "h", "-1", -1, True, "inf", "nan", None, [1]])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError):
        DURATION.read(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [(65536, 65536), ("64 MiB", 64 << 20), ("1.5GiB", 3 << 29), ("10 kB", 10_000), ("2MB", 2_000_000)],
)
def test_a_size_is_read_and_powers_of_two_and_ten_are_told_apart(written: object, size: int) -> None:
    assert SIZE.read(written) == size


@pytest.mark.parametrize("written", ["", "MiB", "3 parsecs", 0, -5, True, 1.5, None])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError):
        SIZE.read(written)


def test_a_regular_expression_must_compile() -> None:
    assert REGEX.read("a+") == "a+"
    for written in ("(", 3):
        with pytest.raises(ValueError):
            REGEX.read(written)
