"""Metrics for tests of the views: one with everything in it, long ones, hostile ones.

Must not fold: the numbers are made up, so that each is told apart from every other.
"""

from __future__ import annotations

import msgspec

from runwatch.fold.metrics import (
    AgentMetrics,
    AttemptMetrics,
    CallMetrics,
    CodeMetrics,
    DebuggingCycle,
    DebuggingTotals,
    Durations,
    ErrorGroup,
    HealthMetrics,
    InstrumentMetrics,
    InstrumentSeries,
    IssueMetrics,
    JournalMetrics,
    Llm,
    Metrics,
    ModelMetrics,
    Notice,
    PipelineMetrics,
    PipelineTotals,
    Question,
    ResourceMetrics,
    Run,
    Series,
    StepMetrics,
    TestMetrics,
    Tokens,
)
from runwatch.views.facts import Archive, Change, Comparison, Facts, FailedStep, StageFailure

AT = "2026-10-20T14:23:45.000000Z"
LATER = "2026-10-20T14:36:26.500000Z"

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\r\n\u202e<script>alert(1)</script> | `` ``` @everyone #1 "
    "https://evil.example [x](javascript:y) </details> =cmd()|' \\| 日本語\u2028 " + "x" * 300
)
"""What a terminal, Markdown, a forge or a spreadsheet might obey and JSON can carry, and too long besides."""


def tokens(base: int = 1234) -> Tokens:
    """Token counts whose numbers all differ."""
    return Tokens(
        prompt=base,
        completion=base // 2,
        cache_read=base // 3,
        cache_write=base // 4,
        reasoning=5,
        total=base + base // 2,
    )


def durations(base: float = 2.5) -> Durations:
    """Durations whose numbers all differ."""
    return Durations(total_s=base * 8, mean_s=base, p50_s=base * 0.9, p95_s=base * 1.9, max_s=base * 2.2)


def step(number: int, status: str | None = "success", *, name: str | None = None) -> StepMetrics:
    """A step as the specification's example has it."""
    return StepMetrics(
        step=number,
        name=name,
        status=status,
        start_time=AT,
        end_time=LATER,
        duration_s=154.0,
        api_calls=12,
        llm_requests=8,
        tokens=Tokens(prompt=1234, completion=567, total=1801),
        cost_usd=0.04,
    )


def code() -> CodeMetrics:
    """A branch whose numbers all differ."""
    return CodeMetrics(
        branch="main",
        head="a1" * 20,
        base="b2" * 20,
        files_created=2,
        files_modified=5,
        files_deleted=1,
        files_renamed=3,
        lines_added=120,
        lines_deleted=33,
        commits=4,
        dirty=True,
        coverage_percent=81.2,
        coverage_change=1.4,
    )


def issue(number: int | str = 123) -> IssueMetrics:
    """An issue with an agent, pipelines and a debugging cycle."""
    return IssueMetrics(
        issue=number,
        title="Add the parser",
        status="completed",
        start_time=AT,
        end_time=LATER,
        duration_s=761.0,
        agents=[agent("testing")],
        pipelines=[pipeline(4258, "failed"), pipeline(4260, "success")],
        pipeline_totals=PipelineTotals(attempts=3, succeeded=1, failed=2, success_rate=33.33, first_attempt_pass=False),
        debugging=[cycle()],
        debugging_totals=DebuggingTotals(cycles=1, resolved=1, attempts=2, success_rate=100.0, resolution_s=21.0),
        total_errors=2,
        tokens=tokens(2000),
        cost_usd=0.21,
        code=code(),
        test_coverage=79.5,
        complexity_score=12.5,
        first_time_right=False,
    )


def agent(name: str) -> AgentMetrics:
    """An agent whom the truth contradicts."""
    return AgentMetrics(
        agent=name,
        attempts=3,
        successes=1,
        failures=2,
        reported_successes=0,
        reported_failures=3,
        retries=2,
        duration_s=95.0,
        max_attempts=4,
        tool_calls=6,
        tokens=tokens(900),
        cost_usd=0.11,
        errors=1,
    )


def pipeline(number: int | str, status: str) -> PipelineMetrics:
    """One CI attempt."""
    return PipelineMetrics(
        pipeline_id=number,
        issue=123,
        status=status,
        commit_sha="abc123",
        triggered_by="testing",
        attempt=2,
        start_time=AT,
        end_time=LATER,
        queued_s=12.0,
        duration_s=240.0,
        failed_jobs=["unit", "lint"] if status == "failed" else [],
        error_type="test_failure" if status == "failed" else None,
    )


def cycle() -> DebuggingCycle:
    """One debugging cycle."""
    return DebuggingCycle(
        cycle=1,
        issue=123,
        agent="testing",
        error_type="test_failure",
        error_message="2 tests failed",
        attempts=2,
        resolved=True,
        method="fixed the fixture",
        start_time=AT,
        duration_s=21.0,
    )


def call(name: str) -> CallMetrics:
    """Calls of one tool or service."""
    return CallMetrics(name=name, calls=8, successes=7, failures=1, retries=2, durations=durations())


def model(name: str = "gpt-4o") -> ModelMetrics:
    """Calls of one model."""
    return ModelMetrics(
        provider="openai",
        model=name,
        calls=9,
        requests=8,
        retries=1,
        rate_limits=2,
        timeouts=3,
        failures=4,
        tokens=tokens(11_200),
        cost_usd=0.43,
        prices="genai-prices 1.0 (2026-10-01)",
        durations=durations(3.5),
    )


def run() -> Run:
    """A failed run."""
    return Run(
        run_id="20261020-142345-abc123",
        framework="baes",
        project_id=168,
        mode="implement_all",
        command=["python", "experiment.py", "--name", "two words"],
        llm_configuration=Llm(provider="openai", model="gpt-4o", temperature=0.0),
        start_time=AT,
        end_time=LATER,
        duration_seconds=761.5,
        status="failed",
        exit_code=3,
        reason="step 002 failed: 2 checks failed",
        steps_planned=4,
        step_names=["schema", "models", "API", "tests"],
        issues_processed=[123, "PROJ-9"],
        total_successes=1,
        total_errors=1,
        issues_open=6,
        steps_by_status={"success": 1, "failed": 1, "running": 1},
        success_rate=50.0,
        errors=7,
        tokens=tokens(12_000),
        cost_usd=0.43,
        unpriced_models=["homemade"],
        llm_calls=9,
        llm_requests=8,
        llm_duration_s=31.5,
        alerts=2,
        recorders_replaced=1,
        max_cost_usd=5.0,
        max_tokens=2_000_000,
    )


def full() -> Metrics:
    """Metrics with something in every section."""
    steps = [step(1, name="schema"), step(2, "failed", name="models"), step(3, None, name="API")]
    steps[0].note = "Template-based generation (no LLM calls)"
    steps[1].retries, steps[1].errors = 1, 2
    return Metrics(
        run=run(),
        steps=steps,
        current_step=3,
        issues=[issue(123)],
        agents=[agent("testing")],
        attempts=[
            AttemptMetrics(
                agent="testing",
                attempt=4,
                issue=123,
                start_time=AT,
                end_time=LATER,
                duration_s=91.5,
                success=True,
                retries=2,
                tool_calls=19,
                total_tokens=2700,
                error="flaky",
            )
        ],
        models=[model()],
        cost_by_issue={"123": 0.21, "": 0.22},
        cost_by_agent={"testing": 0.11, "": 0.32},
        cost_by_step={"1": 0.04, "": 0.39},
        tools=[call("read_file")],
        services=[call("registry")],
        health=[
            HealthMetrics(service="registry", healthy=True, latency_s=0.41, time=LATER, checks=31, failures=6),
            HealthMetrics(service="pool", healthy=False, error="refused", time=LATER, checks=3, failures=1),
        ],
        instruments=[
            InstrumentMetrics(
                name="task_retry_count",
                kind="histogram",
                help="Retries of a task.",
                edges=[1.0, 5.0],
                series=[InstrumentSeries(labels={"a": "b"}, value=2.5, count=17, sum=29.5, buckets=[11, 4, 2])],
            )
        ],
        pipelines=[pipeline(4258, "failed"), pipeline(4260, "success")],
        pipeline_totals=PipelineTotals(
            attempts=3, succeeded=1, failed=2, success_rate=33.33, first_attempt_pass=False, queued_s=24, duration_s=480
        ),
        debugging=[cycle()],
        debugging_totals=DebuggingTotals(cycles=1, resolved=1, attempts=2, success_rate=100.0, resolution_s=21.0),
        code=code(),
        tests=TestMetrics(passed=40, failed=2, skipped=1, errors=3, duration_s=3.2, runs=5),
        resources=ResourceMetrics(
            samples=10,
            cpu_percent=14.5,
            mean_cpu_percent=85.5,
            rss_bytes=90_000_000,
            peak_rss_bytes=120_000_000,
            processes=2,
            read_bytes=1_000_000,
            written_bytes=2_000_000,
        ),
        errors=[
            ErrorGroup(
                error_type="ValueError",
                message="2 checks failed",
                count=3,
                first_time=AT,
                step=2,
                issue=123,
                component="validator",
                where="check.py",
            ),
            ErrorGroup(error_type=None, message="cannot connect", count=4, first_time=LATER),
        ],
        notices=[
            Notice(kind="warning", message="no coverage report found", time=AT, step=2),
            Notice(kind="alert.raised", message="max_cost_usd: 0.43 above 0.40", time=AT),
            Notice(kind="verification.checked", message="tokens: agree", time=LATER),
        ],
        questions=[
            Question(question="Merge it?", answer="yes", time=AT, wait_s=45.0),
            Question(question="Deploy it?", time=AT),
        ],
        series=Series(tokens=[1, 2], cost_usd=[0.1, 0.2], cpu_percent=[10.0, 20.0], rss_bytes=[100, 200]),
        journal=JournalMetrics(
            offset=12_345,
            events=99,
            unreadable=2,
            unknown=3,
            after_seal=4,
            dropped=5,
            dropped_since=AT,
            last_time=LATER,
        ),
    )


def facts() -> Facts:
    """Everything that a finished run can say beyond its metrics."""
    return Facts(
        version="0.1.0",
        archive=Archive(file="run.tar.gz", size_bytes=1_468_006, sha256="ab" * 32, members=42),
        failures=(
            StageFailure(
                stage="reports",
                reason="csv/errors.csv cannot be written: permission denied",
                remedy="runwatch finalize 20261020-142345-abc123",
            ),
        ),
        failed_step=FailedStep(
            lines=("Traceback (most recent call last):", "ValueError: 2 checks failed"),
            step=2,
            name="models",
            log="logs/step_002/stderr.log",
        ),
        comparison=Comparison(
            runs=12,
            changes=(
                Change(metric="cost_usd", before=0.4, change_pct=7.5),
                Change(metric="duration_seconds", before=700.0, change_pct=8.8),
                Change(metric="success_rate", before=None),
            ),
        ),
    )


def crowded(number: int, text: str = "a rather long name of something") -> Metrics:
    """Metrics with ``number`` of everything, each named ``text``."""
    metrics = full()
    metrics.run.issues_processed = [f"{text} {at}" for at in range(number)]
    metrics.run.step_names = [text] * number
    metrics.run.unpriced_models = [text] * number
    metrics.steps = [step(at + 1, name=text) for at in range(number)]
    for one in metrics.steps:
        one.note = text
    metrics.issues = [issue(f"{text} {at}") for at in range(number)]
    for made in metrics.issues:
        made.title = text
    metrics.agents = [agent(f"{text} {at}") for at in range(number)]
    metrics.models = [model(f"{text} {at}") for at in range(number)]
    costs = {f"{text} {at}": 0.01 for at in range(number)}
    metrics.cost_by_issue = metrics.cost_by_agent = metrics.cost_by_step = costs
    metrics.tools = [call(f"{text} {at}") for at in range(number)]
    metrics.services = [call(f"{text} {at}") for at in range(number)]
    metrics.pipelines = [pipeline(f"{text} {at}", "failed") for at in range(number)]
    metrics.debugging = [cycle() for _ in range(number)]
    for chased in metrics.debugging:
        chased.error_type = chased.error_message = chased.method = text
    metrics.errors = [ErrorGroup(error_type=text, message=f"{text} {at}", where=text) for at in range(min(number, 500))]
    kinds = ("warning", "alert.raised")
    metrics.notices = [Notice(kind=kinds[at % 2], message=f"{text} {at}", time=AT) for at in range(min(number, 500))]
    metrics.questions = [Question(question=text, answer=text, time=AT, wait_s=1.0) for _ in range(number)]
    return metrics


def hostile() -> Metrics:
    """Metrics in which every text is hostile, and there are many of everything."""
    metrics = crowded(60, HOSTILE)
    _poison(metrics)
    return metrics


def _poison(value: object) -> None:
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            held = getattr(value, name)
            if isinstance(held, str):
                setattr(value, name, HOSTILE if name != "kind" else held)
            elif held == ["unit", "lint"] or name == "command":
                setattr(value, name, [HOSTILE, HOSTILE])
            else:
                _poison(held)
    elif isinstance(value, list):
        for item in value:
            _poison(item)


def hostile_facts() -> Facts:
    """Facts in which every text is hostile."""
    return Facts(
        run_path=HOSTILE,
        version=HOSTILE,
        archive=Archive(file=HOSTILE, size_bytes=10**15, sha256="ab" * 32, members=10**9),
        failures=tuple(StageFailure(stage=HOSTILE, reason=HOSTILE, remedy=HOSTILE) for _ in range(12)),
        failed_step=FailedStep(lines=(HOSTILE, "```", "````", "</details>") * 20, step=2, name=HOSTILE, log=HOSTILE),
        comparison=Comparison(runs=3),
    )
