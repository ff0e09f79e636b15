"""Pauses: scaled, none at pace 0, and none any more on a machine that is late."""

from __future__ import annotations

import time

import pytest

from runwatch.demo import pace
from runwatch.demo.pace import Pace


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def test_a_pause_is_scaled(slept: list[float]) -> None:
    Pace(0.5).rest(0.8)
    assert slept == [0.4]


def test_pace_0_never_sleeps(slept: list[float]) -> None:
    still = Pace(0.0)
    still.rest(5.0)
    assert (slept, still.scaled(5.0)) == ([], 0.0)


def test_who_is_late_does_not_pause_any_more(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    late = Pace(1.0)
    started = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: started + pace.LONGEST_S - 0.5)
    late.rest(1.0)
    assert slept == []
    late.rest(0.25)
    assert slept == [0.25]
