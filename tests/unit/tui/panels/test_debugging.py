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
