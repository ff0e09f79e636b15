"""What was chased, and how it went away."""

from __future__ import annotations

import pytest

from runwatch.fold.metrics import DebuggingCycle, Metrics
from runwatch.tui.panels import debugging


@pytest.mark.parametrize("width", [70, 78, 88, 160])
def test_the_method_that_made_a_failure_go_away_shows_on_a_narrow_pane_too(width: int) -> None:
    cycle = DebuggingCycle(
        cycle=1, issue=1, agent="coding", error_type="AssertionError", error_message="expected 3 but got 4 in a test",
        attempts=2, resolved=True, method="code_fix", start_time="2026-10-20T14:00:00Z", duration_s=3.0,
    )  # fmt: skip
    _, _, head, row = (line.content.plain for line in debugging.lines(Metrics(debugging=[cycle]), width, 12))
    assert "method" in head
    for told in ("coding", "AssertionError", "expected", "code_fix"):
        assert told in row


LONG = [f"PROJ-1-an-issue-with-a-very-long-name-{number:03d}-日本語" for number in (7, 8, 17)]
"""Issues that begin and end alike."""


def chased(issue: str, message: str = "off by one") -> DebuggingCycle:
    return DebuggingCycle(
        cycle=1, issue=issue, agent="testing", error_type="AssertionError", error_message=message,
        attempts=2, resolved=True, method="code_fix", start_time="2026-10-20T14:00:00Z", duration_s=3.0,
    )  # fmt: skip


@pytest.mark.parametrize("width", [70, 78, 90, 160])
def test_issues_whose_long_names_begin_and_end_alike_can_be_told_apart(width: int) -> None:
    rows = debugging.lines(Metrics(debugging=[chased(issue) for issue in LONG]), width, 12)
    assert "issue" in rows[2].content.plain
    for number, shown in zip(("17", "08", "07"), rows[3:], strict=True):
        assert number in shown.content.plain
        assert width == 160 or f"-0{number}-日本語" in (shown.whole or "")
        assert shown.content.cell_length <= width


def test_no_column_goes_while_the_messages_leave_room_for_it() -> None:
    rows = debugging.lines(Metrics(debugging=[chased(issue) for issue in LONG]), 90, 12)
    for title in ("started", "issue", "agent", "error", "message", "tries", "time", "method"):
        assert title in rows[2].content.plain.split()
    assert "off by one" in rows[3].content.plain
