"""The folded sections of summary.md on issues, agents, pipelines and debugging cycles.

Must not compute a metric; a section with nothing to say is empty.
"""

from __future__ import annotations

from runwatch.fold.metrics import AgentMetrics, DebuggingCycle, IssueMetrics, Metrics, PipelineMetrics
from runwatch.units import count, duration_long, latency, percent
from runwatch.views import phrases
from runwatch.views.layout import plural
from runwatch.views.markdown import code, money, table

MOST_ROWS = 20


def issues(metrics: Metrics) -> list[str]:
    """Return how many ended well, and a row for each issue."""
    run = metrics.run
    if not metrics.issues:
        return []
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
        *table((*header, "first time right", "lines"), metrics.issues, _issue_cells, most=MOST_ROWS, what="issues"),
    ]


def _issue_cells(issue: IssueMetrics) -> list[str]:
    return [
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
        _lines(issue),
    ]


def _lines(issue: IssueMetrics) -> str:
    seen = None if issue.code is None else issue.code.changes
    return "" if seen is None else f"+{count(seen.lines_added)} -{count(seen.lines_deleted)}"


def agents(metrics: Metrics) -> list[str]:
    """Return a row for each agent, with what it said of itself."""
    header = ("agent", "attempts", "successes", "failures", "said so itself", "retries", "duration", "tool calls")
    return table((*header, "tokens", "cost", "errors"), metrics.agents, _agent_cells, most=MOST_ROWS, what="agents")


def _agent_cells(agent: AgentMetrics) -> list[str]:
    return [
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


def pipelines(metrics: Metrics) -> list[str]:
    """Return the totals, and a row for each CI attempt."""
    totals = metrics.pipeline_totals
    if not metrics.pipelines:
        return []
    header = ("pipeline", "issue", "attempt", "status", "commit", "queued", "ran", "failed jobs")
    rate = f"{count(totals.failed)} failed: {percent(totals.success_rate, 2)}"
    facts = [f"{count(totals.succeeded)} of {count(totals.attempts)} passed, {rate}"]
    if totals.first_attempt_pass is not None:
        facts.append(f"First attempt passed: {phrases.yes_no(totals.first_attempt_pass)}")
    if told := phrases.queued_and_ran(metrics):
        facts.append(told)
    return [
        ". ".join(facts) + ".",
        "",
        *table(header, metrics.pipelines, _pipeline_cells, most=MOST_ROWS, what="pipelines"),
    ]


def _pipeline_cells(pipeline: PipelineMetrics) -> list[str]:
    return [
        code(pipeline.pipeline_id, most=40),
        "" if pipeline.issue is None else code(pipeline.issue, most=40),
        count(pipeline.attempt),
        code(pipeline.status or "running"),
        code(pipeline.commit_sha[:12]) if pipeline.commit_sha else "",
        "" if pipeline.queued_s is None else latency(pipeline.queued_s),
        "" if pipeline.duration_s is None else latency(pipeline.duration_s),
        code(", ".join(pipeline.failed_jobs), most=60) if pipeline.failed_jobs else "",
    ]


def debugging(metrics: Metrics) -> list[str]:
    """Return the totals, and a row for each cycle."""
    totals = metrics.debugging_totals
    if not metrics.debugging:
        return []
    header = ("error", "agent", "issue", "attempts", "resolved", "method", "duration")
    rate = f"{percent(totals.success_rate, 2)} in {plural(totals.attempts, 'attempt')}"
    mean = "" if totals.resolution_s is None else f", {duration_long(totals.resolution_s)} each on average"
    return [
        f"{count(totals.resolved)} of {count(totals.cycles)} resolved: {rate}{mean}.",
        "",
        *table(header, metrics.debugging, _cycle_cells, most=MOST_ROWS, what="cycles"),
    ]


def _cycle_cells(cycle: DebuggingCycle) -> list[str]:
    return [
        code(cycle.error_type or "error", most=60),
        "" if cycle.agent is None else code(cycle.agent, most=40),
        "" if cycle.issue is None else code(cycle.issue, most=40),
        count(cycle.attempts),
        phrases.yes_no(cycle.resolved),
        "" if cycle.method is None else code(cycle.method, most=60),
        "" if cycle.duration_s is None else duration_long(cycle.duration_s),
    ]
