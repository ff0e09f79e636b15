"""Limits and alerts of real runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.recorded import record, repository, run_dir, start, wait_for

SPENDER = """
import sys, time, runwatch
run = runwatch.current_run() or runwatch.RunLogger()
for number in range(10_000):
    with runwatch.llm_metrics.track_request("m", "p") as call:
        call.update(prompt_tokens=100, completion_tokens=0, cost=0.01)
    time.sleep(0.01)
"""


def _configured(folder: Path, text: str) -> Path:
    repository(folder)
    (folder / "runwatch.toml").write_text(text)
    return folder


def _events(run: Path, kind: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines())
    return [line for line in lines if line["type"] == kind]


@pytest.mark.parametrize(("rule", "threshold"), [("max_cost_usd", 0.2), ("max_tokens", 2000), ("max_duration", 1)])
def test_a_limit_that_stops_ends_the_run_with_124_and_names_itself(tmp_path: Path, rule: str, threshold: float) -> None:
    value = f'"{threshold}s"' if rule == "max_duration" else threshold
    _configured(tmp_path, f'[limits]\n{rule} = {value}\nstop = ["{rule}"]\n')
    done = record(sys.executable, "-c", SPENDER, cwd=tmp_path)
    assert done.done.returncode == 124
    metadata = json.loads((done.dir / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["exit_code"]) == ("interrupted", 124)
    assert metadata["reason"].startswith(f"limit {rule} reached")
    (reached,) = _events(done.dir, "limit.reached")
    assert (reached["rule"], reached["threshold"]) == (rule, threshold)
    assert reached["value"] >= threshold
    assert _events(done.dir, "warning") == []
    assert rule in (done.dir / "logs_summary.txt").read_text()
    assert f"limit.reached: {rule}".encode() in done.done.stderr


def test_a_limit_that_only_alerts_lets_the_run_go_on_and_is_told_to_the_command(tmp_path: Path) -> None:
    out = tmp_path / "told"
    _configured(
        tmp_path,
        f'[limits]\nmax_tokens = 500\n[alerts]\ncommand = ["sh", "-c", "cat >> {out}"]\n',
    )
    done = record(sys.executable, "-c", SPENDER.replace("10_000", "30"), cwd=tmp_path)
    assert done.done.returncode == 0
    assert [event["rule"] for event in _events(done.dir, "alert.raised")] == ["max_tokens"]
    (told,) = map(json.loads, out.read_text().splitlines())
    assert (told["type"], told["rule"], told["run_id"]) == ("alert.raised", "max_tokens", done.dir.name)
    assert json.loads((done.dir / "metrics.json").read_bytes())["run"]["alerts"] == 1


def test_a_command_that_stalls_is_noticed_and_one_that_prints_is_not(tmp_path: Path) -> None:
    _configured(tmp_path, '[limits]\nstall_after = "1s"\n')
    script = (
        "for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.25; done; touch quiet; while [ ! -e go ]; do sleep 0.1; done"
    )
    process = start("sh", "-c", script, cwd=tmp_path)
    wait_for(lambda: (tmp_path / "quiet").exists(), "the quiet part")
    run = run_dir(tmp_path)
    before = len(_events(run, "alert.raised"))
    wait_for(lambda: len(_events(run, "alert.raised")) > before, "the alert")
    (tmp_path / "go").touch()
    process.communicate()
    assert before == 0
    assert [event["rule"] for event in _events(run, "alert.raised")] == ["stall_after"]


def test_a_program_that_records_itself_is_asked_to_end(tmp_path: Path) -> None:
    _configured(tmp_path, '[limits]\nmax_cost_usd = 0.1\nstop = ["max_cost_usd"]\n')
    done = subprocess.run([sys.executable, "-c", SPENDER], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == -15
    run = next(path for path in tmp_path.glob("runs/default/*") if _events(path, "limit.reached"))
    wait_for(lambda: json.loads((run / "metadata.json").read_bytes())["status"], "the guardian")
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert metadata["status"] == "interrupted"
    assert metadata["reason"].startswith("limit max_cost_usd reached")


def test_a_service_that_goes_down_is_an_alert_once(tmp_path: Path) -> None:
    repository(tmp_path)
    script = """
import runwatch
run = runwatch.RunLogger()
for healthy in (True, False, False, True, False):
    run.emit("service.health", {"service": "pool", "healthy": healthy, "error": None if healthy else "refused"})
"""
    done = record(sys.executable, "-c", script, cwd=tmp_path)
    raised = _events(done.dir, "alert.raised")
    assert [(event["rule"], event["value"]) for event in raised] == [("service_down", "pool (refused)")] * 2


def test_the_end_compares_with_the_runs_before(tmp_path: Path) -> None:
    _configured(tmp_path, "[alerts]\nfailure_streak = 2\n")
    first = record("false", cwd=tmp_path)
    assert _events(first.dir, "alert.raised") == []
    before = first.dir
    record("false", cwd=tmp_path)
    (second,) = (path for path in tmp_path.glob("runs/default/*") if path != before)
    assert [(event["rule"], event["value"]) for event in _events(second, "alert.raised")] == [("failure_streak", 2)]
    assert "failure_streak" in (second / "logs_summary.txt").read_text()
