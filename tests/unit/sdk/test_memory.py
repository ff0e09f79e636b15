"""Counting without a run."""

from __future__ import annotations

from runwatch.sdk.memory import Memory


def test_nothing_counted_is_nothing() -> None:
    assert Memory().metrics() is None


def test_events_are_folded_as_in_a_run() -> None:
    memory = Memory()
    for _ in range(3):
        memory.take(b'{"type":"tool.completed","tool":"grep","duration_s":0.5}\n')
    metrics = memory.metrics()
    assert metrics is not None
    assert [(tool.name, tool.calls, tool.durations.total_s) for tool in metrics.tools] == [("grep", 3, 1.5)]
