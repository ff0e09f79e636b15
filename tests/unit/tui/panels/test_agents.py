"""The agents panel counts over all issues."""

from __future__ import annotations

from runwatch.fold.metrics import AgentMetrics, Metrics
from runwatch.tui.panels import agents


def test_attempts_over_all_issues_are_not_set_against_the_maximum_of_one() -> None:
    agent = AgentMetrics(agent="coding", attempts=4, max_attempts=3)
    row = agents.lines(Metrics(agents=[agent]), 120, 10)[1].content.plain
    assert "4/3" not in row
    assert row.split()[:2] == ["coding", "4"]


def test_the_bar_is_as_long_as_there_were_attempts() -> None:
    few, many = AgentMetrics(agent="few", successes=1, failures=1), AgentMetrics(agent="many", successes=6, failures=2)
    rows = [line.content.plain for line in agents.lines(Metrics(agents=[few, many]), 120, 10)]
    assert [row.count("━") for row in rows[1:]] == [4, 16]
