"""A run in the middle of its life, as metrics, and a feed that shows it and stands still."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path

from runwatch.fold import metrics as m
from runwatch.journal.log_files import RunLogs
from runwatch.tui.state import Life, Snapshot

START = "2026-10-20T14:23:45.000000Z"
RUN_ID = "20261020-142345-abc123"
NAMES = ["schema", "models", "generate API", "tests", "review", "release"]


def wave(count: int, height: float, turn: float = 7.0) -> list[float]:
    """Return a trend with ups and downs, the same every time."""
    return [height * (0.55 + 0.3 * math.sin(i / turn) + 0.15 * math.sin(i * 1.7)) for i in range(count)]


def metrics() -> m.Metrics:
    """Return a run in its third step of six."""
    tokens = m.Tokens(prompt=11_234, completion=7_012, cache_read=3_100, total=18_246)
    run = m.Run(
        run_id=RUN_ID,
        framework="baes",
        command=["python", "experiment.py"],
        start_time=START,
        duration_seconds=761.0,
        llm_configuration=m.Llm(provider="openai", model="gpt-4o", temperature=0.0),
        steps_planned=6,
        step_names=NAMES,
        issues_processed=[123, 124],
        total_successes=1,
        success_rate=100.0,
        errors=2,
        tokens=tokens,
        cost_usd=0.4312,
        llm_calls=42,
        llm_requests=40,
        llm_duration_s=81.4,
    )
    steps = [
        m.StepMetrics(step=1, name="schema", status="success", start_time=START, duration_s=154, llm_requests=8),
        m.StepMetrics(step=2, name="models", status="success", start_time=START, duration_s=45, llm_requests=12),
        m.StepMetrics(step=3, name="generate API", start_time=START, duration_s=62, llm_requests=20, errors=2),
    ]
    agents = [
        m.AgentMetrics(
            agent="coding",
            attempts=2,
            successes=1,
            duration_s=320,
            tool_calls=31,
            running=True,
            tokens=m.Tokens(total=12_400),
            cost_usd=0.31,
        ),
        m.AgentMetrics(
            agent="testing",
            attempts=3,
            successes=1,
            failures=2,
            retries=2,
            max_attempts=3,
            duration_s=210,
            tool_calls=12,
            tokens=m.Tokens(total=5_846),
            cost_usd=0.1212,
            errors=2,
        ),
    ]
    pipelines = [
        m.PipelineMetrics(
            pipeline_id=88121,
            issue=123,
            status="success",
            commit_sha="1a2b3c4d5e",
            start_time=START,
            queued_s=4.0,
            duration_s=41.0,
        ),
        m.PipelineMetrics(
            pipeline_id=88126,
            issue=124,
            status="failed",
            commit_sha="9f8e7d6c5b",
            start_time=START,
            queued_s=12.0,
            duration_s=33.0,
            failed_jobs=["unit", "lint"],
        ),
        m.PipelineMetrics(pipeline_id=88130, issue=124, attempt=2, start_time=START, queued_s=3.0),
    ]
    issues = [
        m.IssueMetrics(
            issue=123,
            title="schema of the orders",
            status="merged",
            duration_s=199,
            agents=[m.AgentMetrics(agent="coding", attempts=1), m.AgentMetrics(agent="test", attempts=1)],
        ),
        m.IssueMetrics(
            issue=124,
            title="API of the orders",
            duration_s=62,
            agents=[m.AgentMetrics(agent="testing", attempts=2, max_attempts=3)],
        ),
    ]
    return m.Metrics(
        run=run,
        steps=steps,
        current_step=3,
        issues=issues,
        agents=agents,
        pipelines=pipelines,
        pipeline_totals=m.PipelineTotals(
            attempts=2, succeeded=1, failed=1, success_rate=50.0, queued_s=19, duration_s=74
        ),
        models=[_model("gpt-4o", 40, 0.4212, tokens), _model("gpt-4o-mini", 2, 0.01, m.Tokens(prompt=400, total=460))],
        cost_by_step={"1": 0.12, "2": 0.06, "3": 0.2512},
        cost_by_agent={"coding": 0.31, "testing": 0.1212},
        tools=[_calls("read_file", 120, 4.1, 2), _calls("apply_patch", 22, 11.9, 0), _calls("run_tests", 9, 74.0, 3)],
        services=[_calls("github", 14, 6.3, 1)],
        debugging=[
            m.DebuggingCycle(
                cycle=1,
                issue=124,
                agent="testing",
                error_type="AssertionError",
                start_time=START,
                error_message="expected 201, got 500",
                attempts=2,
                resolved=True,
                method="patch",
                duration_s=48,
            ),
            m.DebuggingCycle(
                cycle=2,
                issue=124,
                agent="testing",
                error_type="ImportError",
                start_time=START,
                error_message="cannot import name 'Router'",
                attempts=1,
                duration_s=12,
            ),
        ],
        debugging_totals=m.DebuggingTotals(cycles=2, resolved=1, attempts=3, success_rate=50.0, resolution_s=48),
        code=m.CodeMetrics(
            branch="feature/orders-api",
            head="1a2b3c4d5e6f",
            base="9f8e7d6c5b4a",
            files_created=3,
            files_modified=4,
            lines_added=120,
            lines_deleted=33,
            commits=4,
            dirty=True,
            coverage_percent=81.2,
            coverage_change=1.4,
        ),
        tests=m.TestMetrics(passed=38, failed=3, skipped=1, duration_s=3.4, runs=2),
        resources=m.ResourceMetrics(
            samples=380,
            cpu_percent=112.0,
            mean_cpu_percent=84.0,
            rss_bytes=412 << 20,
            peak_rss_bytes=530 << 20,
            processes=3,
            read_bytes=1 << 20,
            written_bytes=12 << 20,
        ),
        errors=[
            m.ErrorGroup(
                error_type="AssertionError",
                message="2 checks failed: expected 201, got 500",
                first_time=START,
                step=3,
                component="validator",
                where="tests/test_orders.py:41",
            ),
            m.ErrorGroup(error_type="RateLimit", message="rate limited", first_time=START, step=3, component="adapter"),
        ],
        notices=[m.Notice(kind="warning", message="coverage fell below 80 % for a moment", time=START, step=2)],
        series=m.Series(
            bucket_s=8.0,
            tokens=[int(v) for v in wave(96, 400)],
            cost_usd=wave(96, 0.01, 11),
            cpu_percent=wave(96, 130, 5),
            rss_bytes=[int(v) for v in wave(96, 5e8, 30)],
        ),
        journal=m.JournalMetrics(offset=1, events=900, last_time=START),
    )


def _model(name: str, calls: int, cost: float, tokens: m.Tokens) -> m.ModelMetrics:
    times = m.Durations(total_s=80, mean_s=2.0, p50_s=1.2, p95_s=4.5, max_s=8.1)
    return m.ModelMetrics(
        provider="openai",
        model=name,
        calls=calls,
        requests=calls - 1,
        retries=1,
        rate_limits=1,
        failures=1,
        tokens=tokens,
        cost_usd=cost,
        durations=times,
        prices="genai-prices 0.2 2026-10-01",
    )


def _calls(name: str, calls: int, total: float, failures: int) -> m.CallMetrics:
    mean = total / calls
    times = m.Durations(total_s=total, mean_s=mean, p50_s=mean * 0.9, p95_s=mean * 2, max_s=mean * 4)
    return m.CallMetrics(
        name=name, calls=calls, successes=calls - failures, failures=failures, retries=failures, durations=times
    )


class StillFeed:
    """Shows one snapshot and waits; ``show`` shows another."""

    def __init__(self, run_dir: Path, post: Callable[[Snapshot], None], first: Snapshot | None = None) -> None:
        self.logs = RunLogs(run_dir)
        self._post = post
        self._first = first or Snapshot(metrics=metrics(), life=Life.RUNNING)
        self._stop = threading.Event()

    def run(self) -> None:
        """Show the first snapshot and block."""
        self.show(self._first)
        self._stop.wait()

    def show(self, snapshot: Snapshot) -> None:
        """Show another."""
        self.logs.poll()
        self._post(snapshot)

    def stop(self) -> None:
        """Let ``run`` return."""
        self._stop.set()
