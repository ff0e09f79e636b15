"""The header says what is missing in the record, whatever its width."""

from __future__ import annotations

import pytest

from runwatch.fold.metrics import Metrics
from runwatch.tui.panels.header import Heading, content
from runwatch.tui.state import Life


@pytest.mark.parametrize(
    ("width", "said"), [(80, "degraded "), (120, "degraded: 12 events dropped, 9.5 MiB of output")]
)
def test_a_run_that_loses_something_says_so_beside_its_state(width: int, said: str) -> None:
    metrics = Metrics()
    metrics.journal.dropped, metrics.journal.lost_output_bytes = 12, 10_000_000
    metrics.journal.dropped_since = "2026-11-21T10:00:00.000000Z"
    shown = content(Heading(metrics, Life.RUNNING, "baes", "20261020-142345-abc123"), width).plain
    assert said in shown
    assert "running" in shown
    assert len(shown) <= width
    assert "degraded" not in content(Heading(Metrics(), Life.RUNNING, "baes", "r1"), width).plain
