"""Which status an exception is; the signals are tested with real programs."""

from __future__ import annotations

import asyncio

import pytest

from runwatch.sdk.endings import of_exception


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, ("completed", None)),
        (SystemExit(), ("completed", None)),
        (SystemExit(0), ("completed", None)),
        (SystemExit(3), ("failed", "exit code 3")),
        (SystemExit("no input"), ("failed", "no input")),
        (ValueError("bad\nvalue"), ("failed", "ValueError: bad value")),
        (KeyboardInterrupt(), ("interrupted", "KeyboardInterrupt")),
        (asyncio.CancelledError(), ("interrupted", "CancelledError")),
    ],
)
def test_an_exception_says_how_the_run_ended(error: BaseException | None, expected: tuple[str, str | None]) -> None:
    assert of_exception(error) == expected
