"""The scenarios of docs/scenarios-*.md: the programs as the pages print them, and every figure that the pages state."""

from __future__ import annotations

import csv
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from integration.doc_pages import blocks, json_blocks
from integration.recorded import record, run_dir
from integration.sdk_programs import Program

ISSUES, RUNNER = "scenarios-issues.md", "scenarios-runner.md"
REPORT_NAMES = (
    "issue_id", "status", "duration_seconds", "agent_metrics", "pipeline_attempts", "succeeded_pipelines",
    "failed_pipelines", "pipeline_success_rate", "total_errors", "debugging_cycles", "resolved_cycles",
    "debugging_success_rate", "debugging_details", "pipeline_details", "tokens", "cost_usd", "code", "test_coverage",
    "complexity_score", "first_time_right",
)  # fmt: skip
"""Source: metrics.md, "Issue report"."""

HEAD = """
CONFIG = {"llm_provider": "deepseek", "llm_model": "deepseek-chat", "llm_temperature": 0.0, "mode": "implement_all"}
run = runwatch.RunLogger(project_id=168, config=CONFIG)
USAGE = {"input_tokens": 900, "output_tokens": 300, "cost": 0.0003}
"""

IN_TASKS = """
import asyncio

async def first(issue):
    async with asyncio.timeout(30):
        with issue.agent("coding"):
            await asyncio.sleep(0)
            issue.record_token_usage("coding", USAGE)
        with issue.agent("testing"):
            issue.record_pipeline_attempt(4258, "failed", "abc123")
            with issue.debugging("testing", "test_failure", "2 tests failed"):
                issue.record_debug_attempt()
                await asyncio.sleep(0)
                issue.record_pipeline_attempt(4259, "failed", "abc124")
                issue.record_debug_attempt()
                issue.record_pipeline_attempt(4260, "success", "def456")
        with issue.agent("review"):
            await asyncio.sleep(0)
        issue.finalize_issue("completed")

async def other(issue, status):
    await asyncio.sleep(0)
    issue.finalize_issue(status)

async def main():
    await asyncio.gather(
        first(run.issue(123)), other(run.issue(124), "completed"), other(run.issue(125), "failed")
    )

with run:
    asyncio.run(main())
"""

IN_THREADS = """
import threading

issues = [run.issue(number) for number in (123, 124, 125)]
together = threading.Barrier(3, timeout=30)

def first(issue):
    together.wait()
    issue.start_agent("coding")
    issue.record_token_usage("coding", USAGE)
    issue.end_agent("coding", True)
    issue.start_agent("testing")
    issue.record_pipeline_attempt(4258, "failed", "abc123")
    issue.start_debugging_cycle("testing", "test_failure", "2 tests failed")
    issue.record_debug_attempt()
    together.wait()
    issue.record_pipeline_attempt(4259, "failed", "abc124")
    issue.record_debug_attempt()
    issue.record_pipeline_attempt(4260, "success", "def456")
    issue.end_debugging_cycle(True)
    issue.end_agent("testing", True)
    issue.start_agent("review")
    issue.end_agent("review", True)
    issue.finalize_issue("completed")

def other(issue, status):
    together.wait()
    together.wait()
    issue.finalize_issue(status)

with run:
    threads = [
        threading.Thread(target=first, args=(issues[0],)),
        threading.Thread(target=other, args=(issues[1], "completed")),
        threading.Thread(target=other, args=(issues[2], "failed")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def _run(cwd: Path, code: str, *, joined: bool) -> str:
    """Run a program alone or recorded; return its output."""
    program = Program(cwd, code)
    if joined:
        done = record(sys.executable, str(program.path), cwd=cwd).done
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()
    alone = program.run()
    assert alone.returncode == 0, alone.stderr
    program.finalized()
    return alone.stdout


@pytest.mark.parametrize("joined", [False, True], ids=["alone", "joined"])
def test_the_issues_scenario_gives_every_figure_of_its_page(joined: bool, tmp_path: Path) -> None:
    _run(tmp_path, blocks(ISSUES, "python")[0], joined=joined)
    _check_issues(tmp_path)
    said, report = json_blocks(ISSUES)
    found = _json(tmp_path, "metrics.json")["run"]
    assert {name: found[name] for name in said} == said
    assert _without_times(_report(tmp_path, 123)) == report
    assert joined or re.fullmatch(r"run_\d{8}_\d{6}_project_168", run_dir(tmp_path).name)


@pytest.mark.parametrize(
    ("code", "joined"), [(IN_TASKS, False), (IN_THREADS, True)], ids=["asyncio tasks", "threads, joined"]
)
def test_side_by_side_the_issues_give_the_same_figures(code: str, joined: bool, tmp_path: Path) -> None:
    _run(tmp_path, HEAD + code, joined=joined)
    _check_issues(tmp_path)


def _check_issues(cwd: Path) -> None:
    """Every figure of the issue text, by hand."""
    run = _json(cwd, "metrics.json")["run"]
    assert run["issues_processed"] == [123, 124, 125]
    assert (run["total_successes"], run["total_errors"], run["success_rate"]) == (2, 1, 66.67)
    assert (run["project_id"], run["mode"]) == (168, "implement_all")
    assert run["llm_configuration"] == {"provider": "deepseek", "model": "deepseek-chat", "temperature": 0.0}
    metadata = _json(cwd, "metadata.json")
    assert (metadata["total_successes"], metadata["total_errors"]) == (2, 1)

    report = _report(cwd, 123)
    assert tuple(report) == REPORT_NAMES
    assert {name: agent["retries"] for name, agent in report["agent_metrics"].items()} == {
        "coding": 0, "testing": 2, "review": 0,
    }  # fmt: skip
    for agent in report["agent_metrics"].values():
        assert (agent["attempts"], agent["successes"], agent["failures"]) == (1, 1, 0)
    assert (report["pipeline_attempts"], report["succeeded_pipelines"], report["failed_pipelines"]) == (3, 1, 2)
    assert report["pipeline_success_rate"] == 33.33
    assert (report["debugging_cycles"], report["resolved_cycles"], report["debugging_success_rate"]) == (1, 1, 100.0)
    pipelines = [tuple(each.values()) for each in report["pipeline_details"]]
    assert pipelines == [(4258, "failed", "abc123"), (4259, "failed", "abc124"), (4260, "success", "def456")]
    (cycle,) = report["debugging_details"]
    assert list(cycle) == ["agent", "error_type", "attempts", "resolved", "duration_seconds"]
    assert (cycle["agent"], cycle["error_type"], cycle["attempts"], cycle["resolved"]) == (
        "testing", "test_failure", 2, True,
    )  # fmt: skip
    assert report["first_time_right"] is False
    assert report == _json(cwd, "issues/issue_123_metrics.json")
    assert [_report(cwd, number)["status"] for number in (124, 125)] == ["completed", "failed"]
    _check_rows(cwd)


def _check_rows(cwd: Path) -> None:
    for folder in (run_dir(cwd) / "csv", cwd / "runs" / "csv"):
        (run,) = _rows(folder, "runs")
        assert (run["project_id"], run["issues_processed"], run["success_rate"]) == ("168", "3", "66.67")
        assert (run["provider"], run["model"], run["mode"]) == ("deepseek", "deepseek-chat", "implement_all")
        issues = {row["issue_id"]: row for row in _rows(folder, "issues")}
        assert {number: row["status"] for number, row in issues.items()} == {
            "123": "completed", "124": "completed", "125": "failed",
        }  # fmt: skip
        first = issues["123"]
        counts = ("agent_attempts", "pipeline_attempts", "debugging_cycles", "total_errors", "total_tokens")
        assert [first[name] for name in counts] == ["3", "3", "1", "2", "1200"]
        assert (float(first["estimated_cost_usd"]), first["first_time_right"]) == (0.0003, "false")
        agents = [(row["agent"], row["attempt"], row["success"], row["retries"]) for row in _rows(folder, "agents")]
        assert agents == [("coding", "1", "true", "0"), ("testing", "1", "true", "2"), ("review", "1", "true", "0")]
        pipelines = [(row["pipeline_id"], row["attempt"], row["status"]) for row in _rows(folder, "pipelines")]
        assert pipelines == [("4258", "1", "failed"), ("4259", "2", "failed"), ("4260", "3", "success")]
        (cycle,) = _rows(folder, "debugging_cycles")
        assert (cycle["issue_id"], cycle["attempts"], cycle["resolved"]) == ("123", "2", "true")


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _json(cwd: Path, name: str) -> Any:
    return json.loads((run_dir(cwd) / name).read_bytes())


def _report(cwd: Path, number: int) -> dict[str, Any]:
    report = _json(cwd, f"issues/issue_{number}_report.json")
    assert isinstance(report, dict)
    return report


def _without_times(report: Any) -> Any:
    """Durations are 0.0 on the page."""
    if isinstance(report, list):
        return [_without_times(each) for each in report]
    if not isinstance(report, dict):
        return report
    return {
        name: 0.0 if name in ("duration", "duration_seconds") else _without_times(value)
        for name, value in report.items()
    }


# --- the runner


@pytest.mark.parametrize("joined", [False, True], ids=["alone", "joined"])
def test_the_runner_scenario_gives_every_figure_of_its_page(joined: bool, tmp_path: Path) -> None:
    code = "import json\n" + blocks(RUNNER, "python")[0] + "print(json.dumps(figures.to_dict()))\n"
    said = _run(tmp_path, code, joined=joined)
    *report, figures = said.splitlines()
    assert "\n".join(report) + "\n" == blocks(RUNNER, "text")[0]
    assert _json(tmp_path, "issues/issue_T-42_report.json")["tokens"]["total"] == 2500
    (expected,) = json_blocks(RUNNER)
    assert json.loads(figures) == expected
    by_hand = {
        "llm_calls": 2, "llm_total_duration_seconds": 3.5, "llm_total_tokens": 2500, "llm_prompt_tokens": 1200,
        "llm_completion_tokens": 1300, "task_registry_calls": 2, "repo_pool_calls": 1, "artifact_store_calls": 1,
    }  # fmt: skip
    assert by_hand.items() <= expected.items()
    metrics = _json(tmp_path, "metrics.json")
    assert (metrics["run"]["llm_calls"], metrics["run"]["llm_duration_s"]) == (2, 3.5)
    assert {service["name"]: service["calls"] for service in metrics["services"]} == {
        "task_registry": 2, "repo_pool": 1, "artifact_store": 1,
    }  # fmt: skip


def test_without_a_run_the_runner_has_the_same_figures(tmp_path: Path) -> None:
    task = textwrap.dedent(blocks(RUNNER, "python")[0].partition(":\n")[2].partition("\n\n")[0])
    done = Program(tmp_path, f"import json\n{task}\nprint(json.dumps(figures.to_dict()))\n").run()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == json_blocks(RUNNER)[0]
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_the_health_of_four_services_is_served_and_recorded(tmp_path: Path) -> None:
    said = _run(tmp_path, blocks(RUNNER, "python")[1], joined=False).splitlines()
    assert [line.split()[0] for line in said] == ["200", "503"]
    health = _json(tmp_path, "metrics.json")["health"]
    assert {each["service"]: (each["checks"], each["failures"], each["healthy"]) for each in health} == {
        "task_registry": (2, 0, True), "repo_pool": (2, 0, True),
        "artifact_store": (2, 1, False), "llm_service": (2, 0, True),
    }  # fmt: skip
