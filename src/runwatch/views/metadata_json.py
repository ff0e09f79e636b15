"""metadata.json: who, what, when, with which model, and how it ended.

Must not compute a metric, nor hold the host name or the working directory unless publishing them was asked for.
Source: metrics.md, "JSON files: names that others rely on".
"""

from __future__ import annotations

from typing import Any

import msgspec

from runwatch.fold.metrics import Metrics
from runwatch.views.facts import NO_FACTS, Facts

MOST_ISSUES = 2000


def render(metrics: Metrics, facts: Facts = NO_FACTS) -> dict[str, Any]:
    """Return the value of metadata.json; ``status`` is null while the run goes on, ``archive`` until it is verified."""
    run, code = metrics.run, metrics.code
    value: dict[str, Any] = {
        "run_id": run.run_id,
        "project_id": run.project_id,
        "framework": run.framework,
        "mode": run.mode,
        "llm_configuration": msgspec.to_builtins(run.llm_configuration),
        "start_time": run.start_time,
        "end_time": run.end_time,
        "status": run.status,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "issues_processed": run.issues_processed[:MOST_ISSUES],
        "total_errors": run.total_errors,
        "total_successes": run.total_successes,
        "git": None
        if code is None or code.changes is None
        else {
            "branch": code.branch,
            "head": code.head,
            "base": code.base,
            "commits": code.commits,
            "dirty": code.dirty,
        },
        "archive": None if facts.archive is None else msgspec.to_builtins(facts.archive),
        "runwatch_version": facts.version,
    }
    if len(run.issues_processed) > MOST_ISSUES:
        value["issues_processed_count"] = len(run.issues_processed)
    if facts.host is not None:
        value["host"] = facts.host
    if facts.cwd is not None:
        value["cwd"] = facts.cwd
    return value
