"""The agents panel counts over all issues."""

from __future__ import annotations

from runwatch.fold.metrics import AgentMetrics, Metrics
from runwatch.tui.panels import agents


def test_attempts_over_all_issues_are_not_set_against_the_maximum_of_one() -> None:
    agent = AgentMetrics(agent="coding", attempts=4, max_attempts=3)
    row = agents.lines(Metrics(agents=[agent]), 120, 10)[1].content.plain
    assert "4/3" not in row
    assert row.split()[:2] == ["coding", "4"]
