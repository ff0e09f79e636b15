"""A run against its framework's earlier ones."""

from __future__ import annotations

import json
from pathlib import Path

from runwatch.finalize.state import Outcome
from runwatch.fold.metrics import Metrics, Run, Tokens
from runwatch.journal.paths import RunPaths
from runwatch.record import earlier
from runwatch.settings import Alerts


def _earlier(root: Path, statuses: str, durations: list[float] | None = None) -> RunPaths:
    """Earlier runs (``c`` completed, ``f`` failed) one a minute from 10:00; return the paths of one at noon."""
    for number, letter in enumerate(statuses):
        folder = root / "f" / f"run{9 - number}"  # ids say nothing about the order
        folder.mkdir(parents=True)
        run = {
            "status": "completed" if letter == "c" else "failed",
            "start_time": f"2026-11-21T10:{number:02}:00.000000Z",
            "duration_seconds": durations[number] if durations else 1.0,
            "tokens": {"total": 10},
            "cost_usd": None,
            "errors": 0,
        }
        (folder / "metrics.json").write_text(json.dumps({"run": run}))
    (root / "f" / "broken").mkdir(parents=True)
    (root / "f" / "broken" / "metrics.json").write_text("{")
    return RunPaths(root / "f" / "now")


def _metrics(duration: float = 1.0) -> Metrics:
    run = Run(start_time="2026-11-21T12:00:00.000000Z", duration_seconds=duration, tokens=Tokens(total=10))
    return Metrics(run=run)


FAILED = Outcome(status="failed", ended="x")
COMPLETED = Outcome(status="completed", ended="x")


def test_a_streak_of_failures_counts_this_run_and_those_right_before(tmp_path: Path) -> None:
    paths = _earlier(tmp_path, "fcff")
    settings = Alerts(failure_streak=3)
    assert list(earlier.alerts(paths, _metrics(), FAILED, settings)) == [("failure_streak", 3, 3)]
    assert list(earlier.alerts(paths, _metrics(), FAILED, Alerts(failure_streak=4))) == []
    assert list(earlier.alerts(paths, _metrics(), COMPLETED, settings)) == []


def test_a_value_far_from_the_good_runs_before_is_an_alert_when_there_are_enough(tmp_path: Path) -> None:
    durations = [10.0, 11.0, 9.0, 500.0, 10.0, 10.5]
    paths = _earlier(tmp_path, "cccfcc", durations)
    settings = Alerts(deviation=3.0)
    ((rule, value, threshold),) = earlier.alerts(paths, _metrics(20.0), COMPLETED, settings)
    assert (rule, value) == ("deviation of duration_seconds", 20.0)
    assert str(threshold).startswith("10.1 ± 3 ×")
    assert list(earlier.alerts(paths, _metrics(10.2), COMPLETED, settings)) == []
    few = _earlier(tmp_path / "few", "cccc", durations)
    assert list(earlier.alerts(few, _metrics(500.0), COMPLETED, settings)) == []


def test_a_later_run_is_no_earlier_one(tmp_path: Path) -> None:
    paths = _earlier(tmp_path, "ff")
    metrics = _metrics()
    metrics.run.start_time = "2026-11-21T10:00:30.000000Z"
    assert list(earlier.alerts(paths, metrics, FAILED, Alerts(failure_streak=3))) == []
