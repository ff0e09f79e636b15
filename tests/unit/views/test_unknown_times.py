"""What nobody measured is shown nowhere as 0, nor as None."""

from __future__ import annotations

from journals import Journal
from runwatch.tui.panels import debugging
from runwatch.views import csv_rows, issue_report, markdown_work, summary_work
from runwatch.views.layout import Room


def test_a_debugging_cycle_whose_start_was_never_told_shows_no_duration() -> None:
    journal = Journal()
    journal.add("debug.completed", issue=1, cycle="a", agent="testing", resolved=True)
    metrics = journal.metrics()
    report = issue_report.render(metrics.issues[0])
    assert report["debugging_details"][0]["duration_seconds"] is None
    (row,) = csv_rows.tables(metrics)["debugging_cycles"]
    assert row[-1] == ""
    for text in (
        "\n".join(summary_work.debugging(metrics, Room())),
        "\n".join(markdown_work.debugging(metrics)),
        "\n".join(line.content.plain for line in debugging.lines(metrics, 160, 40)),
    ):
        assert "testing" in text
        for wrong in ("0.0s", "0.0ms", "None", "Mean", "on average", "mean to resolution"):
            assert wrong not in text
