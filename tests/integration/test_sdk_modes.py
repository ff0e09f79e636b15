"""Every recorder in every mode: plain, asyncio tasks, threads, forked and spawned processes; misuse is a warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.sdk_programs import Program

WORK = '''
"""Each recorder once, all about one issue."""
import runwatch

def work(number):
    run = runwatch.current_run()
    issue = run.issue(number)
    with issue.agent("coding"):
        with runwatch.tool(f"tool-{number}"):
            with runwatch.llm_metrics.track_request("m", f"p-{number}") as request:
                request["prompt_tokens"], request["cost"] = 10 * number, 0.5
        with runwatch.service("registry", "get"):
            pass
        issue.record_token_usage("coding", {"input_tokens": 1, "output_tokens": 1, "cost": 0.25})
    try:
        runwatch.ToolMonitor().track_tool_call("monitored", len, "abc").send(None)
    except StopIteration as returned:
        assert returned.value == 3
    issue.record_pipeline_attempt(number * 10, "success", "abc")
    with issue.debugging("coding", "bug", "it broke"):
        issue.record_debug_attempt()
    issue.record_error("Oops", f"error {number}")
    issue.record_coverage(80.0)
    task = runwatch.MetricsCollector("runner", f"T-{number}", "spec")
    task.record_llm_call(1.0, 10, 5, 5)
    task.record_external_service_call("repo_pool", 0.1)
    assert task.finalize().llm_calls == 1
    with runwatch.git_metrics.track_merge() as merge:
        merge["result"] = "success"
    runwatch.task_metrics.completion_total.labels(status="done", worker_profile="w").inc()
    runwatch.dispatch_metrics.tasks_dispatched_per_cycle.observe(2)
    runwatch.update_task_state_gauges([{"status": "waiting"}])
    assert dict(runwatch.check_external_services(store_client=object())) == {"store": True}
    runwatch.get_logger("app", "adapter").info("line %s", number)
    runwatch.get_runner_logger("r", f"T-{number}", "s").info("runner line %s", number)
    issue.finalize_issue("completed")
    # misuse
    issue.end_agent("nobody", True)
    issue.end_debugging_cycle(True)
    issue.finalize_issue("completed")
'''

MODES = {
    "plain": "for number in NUMBERS: work(number)",
    "asyncio tasks": """
import asyncio
async def one(number):
    await asyncio.sleep(0)
    work(number)
async def main():
    await asyncio.gather(*map(one, NUMBERS))
asyncio.run(main())
""",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as pool:
    list(pool.map(work, NUMBERS))
""",
    "fork": """
import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(work, NUMBERS)
    pool.close()
    pool.join()
""",
    "spawn": """
import multiprocessing
with multiprocessing.get_context("spawn").Pool(2) as pool:
    pool.map(work, NUMBERS)
    pool.close()
    pool.join()
""",
}
NUMBERS = (1, 2, 3)


@pytest.mark.parametrize("mode", MODES)
def test_every_recorder_counts_the_same(mode: str, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(WORK)
    body = MODES[mode].strip().replace("\n", "\n        ")
    code = (
        f"from work import work\nNUMBERS = {NUMBERS}\nif __name__ == '__main__':\n"
        f"    with runwatch.RunLogger(config={{'llm_provider': 'p', 'llm_model': 'm'}}) as run, run.step('all'):\n"
        f"        {body}\n"
    )
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 0, done.stderr
    program.finalized()
    _check(program.json("metrics.json"))
    logged = (program.dir / "logs" / "step_001" / "adapter.log").read_text()
    assert all(logged.count(f'"line {number}"') == 1 for number in NUMBERS)
    warnings = [event["message"] for event in program.events("warning")]
    assert len([message for message in warnings if "nobody" in message]) == 3
    assert len([message for message in warnings if "a second time" in message]) == 3
    assert len(warnings) == 9


def _check(metrics: dict[str, Any]) -> None:
    assert metrics["run"]["total_successes"] == 6
    assert metrics["run"]["errors"] == 3
    assert {tool["name"]: tool["calls"] for tool in metrics["tools"]} == {
        "tool-1": 1, "tool-2": 1, "tool-3": 1, "monitored": 3,
    }  # fmt: skip
    assert {service["name"]: service["calls"] for service in metrics["services"]} == {"registry": 3, "repo_pool": 3}
    assert [(each["service"], each["checks"]) for each in metrics["health"]] == [("store", 3)]
    issues = {issue["issue"]: issue for issue in metrics["issues"]}
    for number in NUMBERS:
        issue = issues[number]
        assert (issue["pipeline_totals"]["succeeded"], issue["debugging_totals"]["resolved"]) == (1, 1)
        assert (issue["test_coverage"], issue["status"], issue["total_errors"]) == (80.0, "completed", 1)
        (agent,) = issue["agents"]
        assert (agent["attempts"], agent["successes"], agent["tool_calls"]) == (1, 1, 1)
        models = [model for model in metrics["models"] if model["provider"] == f"p-{number}"]
        assert [model["tokens"]["prompt"] for model in models] == [10 * number]
    instruments = {one["name"]: one["series"] for one in metrics["instruments"]}
    assert instruments["task_completion_total"][0]["value"] == 3
    assert instruments["git_merge_total"][0]["value"] == 3
    assert instruments["dispatch_tasks_dispatched_per_cycle"][0]["count"] == 3
    assert instruments["tasks_by_state"][0]["value"] == 1
    assert all(event["step"] == 1 for event in metrics["steps"]), "everything happened in the one step"
