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


def test_what_an_agent_itself_reported_stands_beside_the_truth_and_is_loud_where_that_is_another() -> None:
    honest = AgentMetrics(agent="a", successes=2, failures=1, reported_successes=2, reported_failures=1)
    boasted = AgentMetrics(agent="b", successes=1, failures=2, reported_successes=3)
    silent = AgentMetrics(agent="c", failures=1)  # interrupted: it said nothing
    head, *rows = (line.content for line in agents.lines(Metrics(agents=[honest, boasted, silent]), 120, 10))
    at = head.plain.index("said") + 4
    assert [row.plain[:at].split()[-1] for row in rows] == ["2/1", "3/0", "–"]
    loud = [any("rw-warning" in str(span.style) and span.end == at for span in row.spans) for row in rows]
    assert loud == [False, True, False]


def test_which_agent_causes_the_retries_shows_however_narrow_the_pane_is() -> None:
    agent = AgentMetrics(agent="coding", attempts=12, successes=1, failures=11, retries=4711, tool_calls=815)
    for width in (60, 78, 88, 160):
        head, row = (line.content.plain for line in agents.lines(Metrics(agents=[agent]), width, 10))
        assert ("retry" in head, "4,711" in row) == (True, True), width
        assert ("tools" in head, "815" in row) == (True, True), width
    assert "━" in agents.lines(Metrics(agents=[agent]), 160, 10)[1].content.plain
