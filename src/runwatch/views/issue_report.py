"""issue_<id>_report.json and issue_<id>_metrics.json: all about one issue.

Must not compute a metric. Source of the field names: metrics.md, "Issue report"; they are a promise.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runwatch.fold.metrics import AgentMetrics, IssueMetrics


def render(issue: IssueMetrics) -> dict[str, Any]:
    """Return the value of both files; a numeric id stays a number, ``status`` is null while the issue goes on."""
    pipelines, cycles = issue.pipeline_totals, issue.debugging_totals
    return {
        "issue_id": issue.issue,
        "status": issue.status,
        "duration_seconds": issue.duration_s,
        "agent_metrics": {agent.agent: _agent(agent) for agent in issue.agents},
        "pipeline_attempts": pipelines.attempts,
        "succeeded_pipelines": pipelines.succeeded,
        "failed_pipelines": pipelines.failed,
        "pipeline_success_rate": pipelines.success_rate,
        "total_errors": issue.total_errors,
        "debugging_cycles": cycles.cycles,
        "resolved_cycles": cycles.resolved,
        "debugging_success_rate": cycles.success_rate,
        "debugging_details": [
            {
                "agent": cycle.agent,
                "error_type": cycle.error_type,
                "attempts": cycle.attempts,
                "resolved": cycle.resolved,
                "duration_seconds": cycle.duration_s,
            }
            for cycle in issue.debugging
        ],
        "pipeline_details": [
            {
                "pipeline_id": pipeline.pipeline_id,
                "status": pipeline.status,
                "commit_sha": pipeline.commit_sha,
            }
            for pipeline in issue.pipelines
        ],
        "tokens": msgspec.to_builtins(issue.tokens),
        "cost_usd": issue.cost_usd,
        "code": None if issue.code is None else msgspec.to_builtins(issue.code),
        "test_coverage": issue.test_coverage,
        "complexity_score": issue.complexity_score,
        "first_time_right": issue.first_time_right,
    }


def _agent(agent: AgentMetrics) -> dict[str, Any]:
    value: dict[str, Any] = {
        "attempts": agent.attempts,
        "successes": agent.successes,
        "failures": agent.failures,
        "retries": agent.retries,
        "duration": agent.duration_s,
    }
    if (agent.reported_successes, agent.reported_failures) != (agent.successes, agent.failures):
        # Only where the external truth contradicts the agent: the usual report has exactly the promised names.
        value["reported_successes"] = agent.reported_successes
        value["reported_failures"] = agent.reported_failures
    return value
