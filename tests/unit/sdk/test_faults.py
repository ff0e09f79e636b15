"""Exceptions as error events."""

from __future__ import annotations

import pytest

from runwatch.sdk.faults import record_fault, where
from sdk_recording import Recording


def test_one_exception_is_one_event(recording: Recording) -> None:
    try:
        int("x")
    except ValueError as error:
        record_fault(recording.emitter, error, step=2)
        record_fault(recording.emitter, error)
    (event,) = recording.events("error")
    assert (event["error_type"], event["step"]) == ("ValueError", 2)


def test_the_place_is_the_innermost_frame_and_shows_no_foreign_folder() -> None:
    namespace: dict[str, object] = {}
    exec(compile("def f():\n    1 / 0\n", "/home/somebody/secret/lib.py", "exec"), namespace)
    with pytest.raises(ZeroDivisionError) as caught:
        namespace["f"]()  # type: ignore[operator]  # a function by construction
    assert where(caught.value) == "lib.py:2 in f"
    assert where(ValueError()) is None
