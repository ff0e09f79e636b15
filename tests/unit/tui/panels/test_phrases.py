"""Counts with their units."""

from __future__ import annotations

from runwatch.tui.panels.phrases import counted


def test_one_thing_is_no_plural() -> None:
    assert [counted(number, "cycle").plain for number in (0, 1, 2)] == ["0 cycles", "1 cycle", "2 cycles"]
    assert [counted(number, "process", "processes").plain for number in (1, 1200)] == ["1 process", "1,200 processes"]
