"""The list of issues at the left."""

from __future__ import annotations

from runwatch.fold.metrics import AgentMetrics, IssueMetrics, Metrics
from runwatch.tui.panels import issues


def test_issues_whose_long_names_begin_and_end_alike_can_be_told_apart() -> None:
    names = [f"PROJ-1-an-issue-with-a-long-name-{number:03d}-日本語" for number in (7, 8, 17)]
    listed = [IssueMetrics(issue=name, agents=[AgentMetrics(agent="coding", attempts=1)]) for name in (*names, 12)]
    rows = issues.lines(Metrics(issues=listed), 25)
    for number, shown in zip(("07", "08", "17"), rows, strict=False):
        assert number in shown.content.plain
        assert f"#PROJ-1-an-issue-with-a-long-name-0{number}-日本語" in (shown.whole or "")
        assert shown.content.cell_length <= 25
    assert "#12  coding 1" in rows[-1].content.plain
