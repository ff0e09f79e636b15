"""What a list of runs says of one."""

from __future__ import annotations

from pathlib import Path

import metrics_samples as samples
from runwatch.fold.metrics import Metrics, Run
from runwatch.journal.atomic import write_json
from runwatch.runs.listing import listed
from runwatch.views import metrics_json


def _row(folder: Path, metrics: Metrics) -> tuple[int, int]:
    write_json(folder / "metrics.json", metrics_json.render(metrics))
    write_json(folder / "metadata.json", {"status": "completed"})
    row = listed(folder).row
    return row.steps_done, row.steps_total


def test_the_steps_of_a_run_are_all_counted_however_many_its_file_names(tmp_path: Path) -> None:
    run = Run(run_id="r", steps_by_status={"success": 4990, "failed": 7, "running": 3})
    assert _row(tmp_path, Metrics(run=run, steps=[samples.step(at) for at in range(5000)])) == (4997, 5000)


def test_a_run_without_steps_is_one_that_is_done(tmp_path: Path) -> None:
    assert _row(tmp_path, Metrics(run=Run(run_id="r", status="completed"), whole=samples.step(1))) == (1, 1)
