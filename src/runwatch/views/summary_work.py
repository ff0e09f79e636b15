"""The sections of logs_summary.txt on issues, agents, pipelines and debugging cycles.

Must not compute a metric; a section with nothing to say is empty.
"""

from __future__ import annotations

from runwatch.fold.metrics import AgentMetrics, DebuggingCycle, IssueMetrics, Metrics, PipelineMetrics
from runwatch.units import count, cut_middle, duration_long, latency, percent, usd
from runwatch.views import phrases
from runwatch.views.layout import Room, ends, left_out, one_line, plural, table, wrap


def issues(metrics: Metrics, room: Room) -> list[str]:
    """Return the issues: how many ended well, then three lines each."""
    run = metrics.run
    if not metrics.issues and not run.issues_processed:
        return []
    lines = wrap(
        f"Processed: {count(len(run.issues_processed))}   Successes: {count(run.total_successes)}   "
        f"Errors: {count(run.total_errors)}   Success rate: {percent(run.success_rate, 2)}"
    )
    head, omitted, tail = ends(metrics.issues, room.issues)
    for issue in head:
        lines += _issue(issue, room)
    lines += [left_out(omitted, "issues")] if omitted else []
    for issue in tail:
        lines += _issue(issue, room)
    return lines


def _issue(issue: IssueMetrics, room: Room) -> list[str]:
    runs, cycles = issue.pipeline_totals, issue.debugging_totals
    title = f" {one_line(issue.title)}" if issue.title else ""
    first = f"{one_line(issue.issue)}{title}: {one_line(issue.status or 'running').upper()}"
    facts = [
        f"duration {duration_long(issue.duration_s)}",
        f"errors {count(issue.total_errors)}",
        f"tokens {count(issue.tokens.total)}" + ("" if issue.cost_usd is None else f", {usd(issue.cost_usd)}"),
    ]
    for agent in issue.agents[: room.agents]:
        facts.append(
            f"{one_line(agent.agent)} {count(agent.successes)} of {plural(agent.attempts, 'attempt')}, "
            f"{plural(agent.retries, 'retry', 'retries')}"
        )
    if runs.attempts:
        facts.append(f"pipelines {count(runs.succeeded)} of {count(runs.attempts)} passed")
    if cycles.cycles:
        facts.append(f"debugging {count(cycles.resolved)} of {count(cycles.cycles)} resolved")
    if issue.code is not None and (seen := issue.code.changes) is not None:
        facts.append(f"lines +{count(seen.lines_added)} -{count(seen.lines_deleted)}")
    if issue.test_coverage is not None:
        facts.append(f"coverage {percent(issue.test_coverage)}")
    if issue.complexity_score is not None:
        facts.append(f"complexity {issue.complexity_score:g}")
    if issue.first_time_right is not None:
        facts.append(f"first time right: {phrases.yes_no(issue.first_time_right)}")
    return [
        *wrap(first, first="Issue ", rest="  ", most_lines=1),
        *wrap("; ".join(facts), first="  ", rest="  ", most_lines=4),
    ]


def agents(metrics: Metrics, room: Room) -> list[str]:
    """Return the agents over the whole run, and what they said of themselves where it was not so."""
    lines = table(
        ("agent", "attempts", "ok", "failed", "retries", "duration", "tools", "tokens", "cost", "errors"),
        metrics.agents,
        _agent,
        most=room.rows,
        what="agents",
    )
    contradicted = [
        agent
        for agent in metrics.agents
        if (agent.reported_successes, agent.reported_failures) != (agent.successes, agent.failures)
    ]
    for agent in contradicted[: room.rows]:
        said = f"{plural(agent.reported_successes, 'success', 'successes')} and "
        text = f"{one_line(agent.agent)} itself reported {said}{plural(agent.reported_failures, 'failure')}"
        lines += wrap(text, first="  ", rest="  ", most_lines=1)
    return lines


def _agent(agent: AgentMetrics) -> list[str]:
    return [
        agent.agent,
        count(agent.attempts),
        count(agent.successes),
        count(agent.failures),
        count(agent.retries),
        duration_long(agent.duration_s),
        count(agent.tool_calls),
        count(agent.tokens.total),
        "-" if agent.cost_usd is None else usd(agent.cost_usd),
        count(agent.errors),
    ]


def pipelines(metrics: Metrics, room: Room) -> list[str]:
    """Return all CI attempts: the totals, then a line each."""
    totals = metrics.pipeline_totals
    if not metrics.pipelines and not totals.attempts:
        return []
    lines = wrap(
        f"Attempts: {count(totals.attempts)}   Succeeded: {count(totals.succeeded)}   Failed: {count(totals.failed)}   "
        f"Success rate: {percent(totals.success_rate, 2)}",
    )
    if told := phrases.queued_and_ran(metrics):
        lines.append(told)
    if totals.first_attempt_pass is not None:
        lines.append(f"First attempt passed: {phrases.yes_no(totals.first_attempt_pass)}")
    lines += table(
        ("pipeline", "issue", "try", "status", "commit", "queued", "ran"),
        metrics.pipelines,
        _pipeline,
        most=room.rows,
        what="pipelines",
    )
    failed = [pipeline for pipeline in metrics.pipelines if pipeline.failed_jobs or pipeline.error_type]
    for pipeline in failed[: room.rows]:
        parts = [one_line(pipeline.error_type or ""), ", ".join(map(one_line, pipeline.failed_jobs))]
        text = f"{one_line(pipeline.pipeline_id)} failed: {': '.join(part for part in parts if part)}"
        lines += wrap(text, first="  ", rest="    ", most_lines=1)
    return lines


def _pipeline(pipeline: PipelineMetrics) -> list[str]:
    return [
        str(pipeline.pipeline_id),
        "-" if pipeline.issue is None else one_line(pipeline.issue)[:12],
        count(pipeline.attempt),
        cut_middle(one_line(pipeline.status or "running"), 12),
        one_line(pipeline.commit_sha or "-")[:10],
        "-" if pipeline.queued_s is None else latency(pipeline.queued_s),
        "-" if pipeline.duration_s is None else latency(pipeline.duration_s),
    ]


def debugging(metrics: Metrics, room: Room) -> list[str]:
    """Return all debugging cycles: the totals, then two lines each."""
    totals = metrics.debugging_totals
    if not metrics.debugging and not totals.cycles:
        return []
    lines = wrap(
        f"Cycles: {count(totals.cycles)}   Resolved: {count(totals.resolved)}   Attempts: {count(totals.attempts)}   "
        f"Success rate: {percent(totals.success_rate, 2)}"
    )
    if totals.resolution_s is not None:
        lines.append(f"Mean time to resolution: {duration_long(totals.resolution_s)}")
    head, omitted, tail = ends(metrics.debugging, room.cycles)
    for cycle in head:
        lines += _cycle(cycle)
    lines += [left_out(omitted, "cycles")] if omitted else []
    for cycle in tail:
        lines += _cycle(cycle)
    return lines


def _cycle(cycle: DebuggingCycle) -> list[str]:
    result = "under way" if cycle.resolved is None else "resolved" if cycle.resolved else "not resolved"
    how = f" by {one_line(cycle.method)}" if cycle.method else ""
    where = phrases.place(None, cycle.issue, cycle.agent)
    took = "" if cycle.duration_s is None else f" in {duration_long(cycle.duration_s)}"
    text = (
        f"{one_line(cycle.error_type or 'error')}{f' ({where})' if where else ''}: {result}{how} after "
        f"{plural(cycle.attempts, 'attempt')}{took}"
    )
    lines = wrap(text, rest="  ", most_lines=2)
    if cycle.error_message:
        lines += wrap(one_line(cycle.error_message), first="  ", most_lines=1)
    return lines
