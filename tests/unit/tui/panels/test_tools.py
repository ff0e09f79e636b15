"""Tools and services: where the time went stands first."""

from __future__ import annotations

from runwatch.fold.metrics import CallMetrics, Durations, Metrics
from runwatch.tui.panels import tools


def test_the_tools_that_took_longest_stand_first_with_the_longest_bar() -> None:
    calls = [
        CallMetrics(name=name, calls=1, durations=Durations(total_s=total))
        for name, total in (("b", 2.0), ("none", 0.0), ("a", 8.0), ("also", 0.0))
    ]
    rows = [line.content.plain for line in tools.lines(Metrics(tools=calls), 120, 10)]
    assert [row.split()[0] for row in rows[1:]] == ["a", "b", "none", "also"]
    assert [row.count("━") for row in rows[1:]] == [16, 4, 0, 0]
