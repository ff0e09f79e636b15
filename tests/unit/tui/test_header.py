"""The header says what is missing in the record, whatever its width."""

from __future__ import annotations

import pytest

from runwatch.fold.metrics import Llm, Metrics
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


@pytest.mark.parametrize(
    ("width", "model", "said"),
    [
        (120, "scripted-stand-in-1", "scripted-stand-in-1 · temp 0"),
        (120, "gpt-4o", "gpt-4o · temp 0"),
        (100, "gpt-4o", "gpt-4o · temp 0"),
        (200, "a-model-whose-name-has-over-forty-characters", "a-model-whose-name-has-over-forty-characters · temp 0"),
        (100, "a-model-whose-name-has-over-forty-characters", "a-model"),
    ],
)
def test_the_model_is_whole_wherever_columns_are_free(width: int, model: str, said: str) -> None:
    for framework, cost in (("default", None), ("demo", 0.0213), ("demo", 1234.5)):
        metrics = Metrics()
        metrics.run.llm_configuration = Llm(model=model, temperature=0.0)
        metrics.run.start_time, metrics.run.duration_seconds = "2026-11-21T10:00:00.000000Z", 761.0
        metrics.run.cost_usd, metrics.run.tokens.total, metrics.run.errors = cost, 123_456, 12
        shown = content(Heading(metrics, Life.RUNNING, framework, "20261020-142345-abc123"), width).plain
        for text in (f" {said}", f"{framework} / 20261020-142345-abc123 ", " ● running ", " 123k tok", " 12 "):
            assert text in shown
        assert shown.endswith(("12 errors ", "12 recorded errors "))
        assert len(shown) == width


@pytest.mark.parametrize(
    ("width", "said"), [(80, " 3 errors"), (120, " 3 recorded errors"), (200, " 3 recorded errors")]
)
def test_which_errors_are_meant_is_said_where_columns_are_free_and_cuts_nothing(width: int, said: str) -> None:
    metrics = Metrics()
    metrics.run.start_time, metrics.run.duration_seconds, metrics.run.errors = "2026-11-21T10:00:00.000000Z", 761.0, 3
    shown = content(Heading(metrics, Life.RUNNING, "baes", "20261020-142345-abc123"), width).plain
    assert said in shown
    assert "baes / 20261020-142345-abc123 " in shown
    assert len(shown) == width
