"""The folded sections of summary.md.

Must not compute a metric; a section with nothing to say is left out.
"""

from __future__ import annotations

from runwatch.fold.metrics import CallMetrics, CodeMetrics, Metrics
from runwatch.units import count, date_and_time, duration_long, latency, percent
from runwatch.views import markdown_end, phrases
from runwatch.views.facts import Facts
from runwatch.views.layout import plural
from runwatch.views.markdown import code, folded, money, table

MOST_ROWS = 20


def render(metrics: Metrics, facts: Facts) -> list[str]:
    """Return all of them, in the order of logs_summary.txt."""
    sections = [
        ("Run", run_facts(metrics)),
        (f"Steps ({count(len(metrics.steps))})", steps(metrics)),
        (f"Issues ({count(len(metrics.issues))})", issues(metrics)),
        (f"Agents ({count(len(metrics.agents))})", agents(metrics)),
        (f"Pipelines ({count(metrics.pipeline_totals.attempts)})", pipelines(metrics)),
        (f"Debugging cycles ({count(metrics.debugging_totals.cycles)})", debugging(metrics)),
        ("Tools and services", [*calls("tool", metrics.tools), "", *calls("service", metrics.services)]),
        ("Model and cost", models(metrics)),
        ("Code changes", code_changes(metrics)),
        ("Resources", markdown_end.resources(metrics)),
        (f"Errors and warnings ({count(metrics.run.errors)})", markdown_end.errors(metrics)),
        (f"Human interactions ({count(len(metrics.questions))})", markdown_end.questions(metrics)),
        (f"Checks and alerts ({count(metrics.run.alerts)})", markdown_end.checks(metrics)),
        ("Archive and details", markdown_end.archive(metrics, facts)),
    ]
    return [line for title, lines in sections if any(lines) for line in folded(title, lines)]


def run_facts(metrics: Metrics) -> list[str]:
    """Return who, when and with which model."""
    run = metrics.run
    named = {"Project": run.project_id, "Mode": run.mode}
    return [
        *(f"- {label}: {code(value)}" for label, value in named.items() if value is not None),
        f"- Model: {code(phrases.model(run.llm_configuration))}",
        f"- Started: {code(date_and_time(run.start_time) if run.start_time else 'unknown')}",
        f"- Completed: {code(date_and_time(run.end_time) if run.end_time else 'not yet')}",
    ]


def steps(metrics: Metrics) -> list[str]:
    """Return a row for each step."""
    rows = [
        [
            f"{step.step:03d}" + (f" {code(step.name, most=60)}" if step.name else ""),
            code(phrases.step_status(step)),
            duration_long(step.duration_s),
            count(step.retries),
            count(step.api_calls),
            count(step.llm_requests),
            count(step.tokens.total),
            "" if step.cost_usd is None else money(step.cost_usd),
            count(step.errors),
        ]
        for step in metrics.steps
    ]
    header = ("step", "status", "duration", "retries", "API calls", "LLM requests", "tokens", "cost", "errors")
    return table(header, rows, most=MOST_ROWS, what="steps")


def issues(metrics: Metrics) -> list[str]:
    """Return how many ended well, and a row for each issue."""
    run = metrics.run
    if not metrics.issues:
        return []
    rows = [
        [
            code(issue.issue, most=40),
            code(issue.status or "running"),
            duration_long(issue.duration_s),
            f"{count(issue.pipeline_totals.succeeded)}/{count(issue.pipeline_totals.attempts)}",
            f"{count(issue.debugging_totals.resolved)}/{count(issue.debugging_totals.cycles)}",
            count(issue.total_errors),
            count(issue.tokens.total),
            "" if issue.cost_usd is None else money(issue.cost_usd),
            "" if issue.test_coverage is None else percent(issue.test_coverage),
            "" if issue.complexity_score is None else f"{issue.complexity_score:g}",
            phrases.yes_no(issue.first_time_right),
        ]
        for issue in metrics.issues
    ]
    header = (
        "issue",
        "status",
        "duration",
        "pipelines",
        "cycles",
        "errors",
        "tokens",
        "cost",
        "coverage",
        "complexity",
    )
    rate = percent(run.success_rate, 2)
    return [
        f"{count(run.total_successes)} ended well, {count(run.total_errors)} otherwise: success rate {rate}.",
        "",
        *table((*header, "first time right"), rows, most=MOST_ROWS, what="issues"),
    ]


def agents(metrics: Metrics) -> list[str]:
    """Return a row for each agent, with what it said of itself."""
    rows = [
        [
            code(agent.agent, most=40),
            count(agent.attempts),
            count(agent.successes),
            count(agent.failures),
            f"{count(agent.reported_successes)}/{count(agent.reported_failures)}",
            count(agent.retries),
            duration_long(agent.duration_s),
            count(agent.tool_calls),
            count(agent.tokens.total),
            "" if agent.cost_usd is None else money(agent.cost_usd),
            count(agent.errors),
        ]
        for agent in metrics.agents
    ]
    header = ("agent", "attempts", "successes", "failures", "said so itself", "retries", "duration", "tool calls")
    return table((*header, "tokens", "cost", "errors"), rows, most=MOST_ROWS, what="agents")


def pipelines(metrics: Metrics) -> list[str]:
    """Return the totals, and a row for each CI attempt."""
    totals = metrics.pipeline_totals
    if not metrics.pipelines:
        return []
    rows = [
        [
            code(pipeline.pipeline_id, most=40),
            "" if pipeline.issue is None else code(pipeline.issue, most=40),
            count(pipeline.attempt),
            code(pipeline.status or "running"),
            code(pipeline.commit_sha[:12]) if pipeline.commit_sha else "",
            "" if pipeline.queued_s is None else latency(pipeline.queued_s),
            "" if pipeline.duration_s is None else latency(pipeline.duration_s),
            code(", ".join(pipeline.failed_jobs), most=60) if pipeline.failed_jobs else "",
        ]
        for pipeline in metrics.pipelines
    ]
    header = ("pipeline", "issue", "attempt", "status", "commit", "queued", "ran", "failed jobs")
    return [
        f"{count(totals.succeeded)} of {count(totals.attempts)} passed: {percent(totals.success_rate, 2)}.",
        "",
        *table(header, rows, most=MOST_ROWS, what="pipelines"),
    ]


def debugging(metrics: Metrics) -> list[str]:
    """Return the totals, and a row for each cycle."""
    totals = metrics.debugging_totals
    if not metrics.debugging:
        return []
    rows = [
        [
            code(cycle.error_type or "error", most=60),
            "" if cycle.agent is None else code(cycle.agent, most=40),
            "" if cycle.issue is None else code(cycle.issue, most=40),
            count(cycle.attempts),
            phrases.yes_no(cycle.resolved),
            "" if cycle.method is None else code(cycle.method, most=60),
            duration_long(cycle.duration_s),
        ]
        for cycle in metrics.debugging
    ]
    header = ("error", "agent", "issue", "attempts", "resolved", "method", "duration")
    tries = plural(totals.attempts, "attempt")
    return [
        f"{count(totals.resolved)} of {count(totals.cycles)} resolved in {tries}: {percent(totals.success_rate, 2)}.",
        "",
        *table(header, rows, most=MOST_ROWS, what="cycles"),
    ]


def calls(kind: str, made: list[CallMetrics]) -> list[str]:
    """Return a row for each tool or service."""
    rows = [
        [
            code(call.name, most=60),
            count(call.calls),
            count(call.successes),
            count(call.failures),
            count(call.retries),
            latency(call.durations.total_s),
            *("" if value is None else latency(value) for value in _spread(call)),
        ]
        for call in made
    ]
    header = (kind, "calls", "successes", "failures", "retries", "total", "mean", "p50", "p95", "max")
    return table(header, rows, most=MOST_ROWS, what=f"{kind}s")


def _spread(call: CallMetrics) -> tuple[float | None, ...]:
    times = call.durations
    return times.mean_s, times.p50_s, times.p95_s, times.max_s


def models(metrics: Metrics) -> list[str]:
    """Return a row for each model."""
    rows = [
        [
            code(f"{model.provider}/{model.model}", most=60),
            count(model.calls),
            count(model.requests),
            count(model.rate_limits),
            count(model.timeouts),
            count(model.failures),
            count(model.tokens.prompt),
            count(model.tokens.completion),
            count(model.tokens.total),
            money(model.cost_usd),
            code(model.prices, most=60) if model.prices else "",
        ]
        for model in metrics.models
    ]
    header = ("model", "calls", "requests", "rate limits", "time-outs", "failures", "prompt", "completion", "tokens")
    return table((*header, "cost", "prices"), rows, most=MOST_ROWS, what="models")


def code_changes(metrics: Metrics) -> list[str]:
    """Return the branch against its base, coverage and the last test run."""
    lines = [] if metrics.code is None else _branch(metrics.code)
    tests = metrics.tests
    if tests is not None:
        lines.append(
            f"- Tests: {count(tests.passed)} passed, {count(tests.failed)} failed, {count(tests.skipped)} skipped, "
            f"{count(tests.errors)} errors"
        )
    return lines


def _branch(branch: CodeMetrics) -> list[str]:
    changed = f"{count(branch.files_deleted)} deleted, {count(branch.files_renamed)} renamed"
    lines = [
        f"- Branch {code(branch.branch or 'detached head')}, {plural(branch.commits, 'commit')} since "
        f"{code((branch.base or 'none')[:12])}, head {code((branch.head or 'none')[:12])}"
        + (", uncommitted changes" if branch.dirty else ""),
        f"- Files: {count(branch.files_created)} created, {count(branch.files_modified)} modified, {changed}",
        f"- Lines: {count(branch.lines_added)} added, {count(branch.lines_deleted)} deleted",
    ]
    if branch.coverage_percent is not None:
        change = "" if branch.coverage_change is None else f" ({branch.coverage_change:+.1f})"
        lines.append(f"- Coverage: {percent(branch.coverage_percent)}{change}")
    return lines
