"""How the app looks: a dozen moments that a person found composed, compared cell by cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runwatch.fold import metrics as m
from runwatch.tui.state import Life, Stage
from tui import sample
from tui.conftest import Picture
from tui.driving import live
from tui.test_the_end_of_a_run import finalized, finalizing

LINES = (
    ("orchestrator", "INFO", "issue #124 goes to testing", {"attempt": 2}),
    ("adapter", "INFO", "request", {"model": "gpt-4o", "prompt": 1234}),
    ("adapter", "WARNING", "rate limited, retry 1 in 2.0 s", {"backoff_s": 2.0}),
    ("adapter", "INFO", "answer", {"tokens": 705, "duration_s": 0.42}),
    ("metrics", "DEBUG", "tokens counted", {"prompt": 1234, "completion": 705}),
    ("validator", "ERROR", "2 checks failed: expected 201, got 500", {"path": "/orders"}),
    ("validator", "INFO", "38 of 41 checks passed", {}),
)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """The sample's run, its third step full of logs."""
    directory = tmp_path / "runs" / "baes" / sample.RUN_ID
    for step in (1, 2, 3):
        (directory / "logs" / f"step_{step:03d}").mkdir(parents=True)
    for number in range(42):
        component, level, message, fields = LINES[number % len(LINES)]
        ts = f"2026-10-20T14:{26 + number // 30:02d}:{number * 2 % 60:02d}.{number * 37 % 1000:03d}000Z"
        line = {"ts": ts, "level": level, "component": component, "logger": "exp", "msg": message, **fields}
        with (directory / "logs" / "step_003" / f"{component}.log").open("a") as log:
            log.write(json.dumps(line) + "\n")
    return directory


FULL = ("42 lines · 6 of level ERROR",)


def test_a_live_run(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, sees=FULL)


def test_a_live_run_on_a_small_light_terminal(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, size=(80, 24), theme="runwatch-light", sees=FULL)


def test_a_live_run_on_a_large_terminal_with_the_model_panel(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, size=(200, 50), keys=("2",), sees=(*FULL, "gpt-4o-mini"))


def test_the_system_panel_in_the_light(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, theme="runwatch-light", keys=("8",), sees=(*FULL, "380 samples"))


def test_the_errors_panel_with_the_focus(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, keys=("9", "tab"), sees=(*FULL, "AssertionError"))


def test_a_run_that_has_only_begun(picture: Picture, tmp_path: Path) -> None:
    bare = m.Metrics(run=m.Run(run_id=sample.RUN_ID, framework="sh", start_time=sample.START, duration_seconds=1.2))
    run_dir = tmp_path / "runs" / "sh" / sample.RUN_ID
    (run_dir / "logs").mkdir(parents=True)
    picture(run_dir, live(metrics=bare), sees=("No log yet",))


def test_a_crashed_run(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, live(life=Life.DEAD), size=(80, 24), sees=FULL)


def test_the_finalizer_at_work(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, finalizing(7), sees=("58%",))


def test_the_summary_with_a_commit_that_has_to_wait(picture: Picture, run_dir: Path) -> None:
    failed = Stage(error="a merge is under way", remedy="runwatch finalize 20261020")
    picture(run_dir, finalized(commit=failed), size=(80, 24), theme="runwatch-light", sees=("line 1",))


def test_the_question_before_leaving(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, keys=("q",), sees=("leave it running",))


def test_the_keys(picture: Picture, run_dir: Path) -> None:
    picture(run_dir, keys=("question_mark",), sees=("esc closes",))


def test_the_runs(picture: Picture, run_dir: Path) -> None:
    for number, status in enumerate(("completed", "failed", "interrupted", "crashed")):
        other = run_dir.with_name(f"20261019-09000{number}-0000{number}f")
        other.mkdir()
        start = f"2026-10-19T09:00:0{number}Z"
        metadata = {"status": status, "start_time": start, "llm_configuration": {"model": "gpt-4o"}}
        run = {"duration_seconds": 61.0 * number, "tokens": {"total": 12_345 * number}, "cost_usd": 0.12 * number}
        (other / "metadata.json").write_text(json.dumps(metadata))
        (other / "metrics.json").write_text(
            json.dumps({"run": {**run, "errors": number}, "steps": [{"status": status}]})
        )
    picture(run_dir, keys=("r",), sees=("crashed",))
