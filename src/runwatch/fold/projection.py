"""From what a fold holds to the metrics that are shown.

No I/O, no formatting. Reads the parts; what has not changed since the last time is taken over as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from runwatch.fold.agents import agents_of
from runwatch.fold.clock import seconds
from runwatch.fold.issues import Issue
from runwatch.fold.ledger import Model
from runwatch.fold.losses import with_losses
from runwatch.fold.metrics import IssueMetrics, JournalMetrics, Metrics, ModelMetrics, Run, StepMetrics
from runwatch.fold.model_instruments import measured
from runwatch.fold.outcome import ended_well, percent
from runwatch.fold.parts import Parts
from runwatch.fold.percentiles import Histogram
from runwatch.fold.pipelines import first_pass
from runwatch.fold.tally import (
    CALLS,
    CHANGES,
    FAILURES,
    MICROS,
    MUTE,
    RATE_LIMITS,
    REQUESTS,
    TIMEOUTS,
    UNPRICED,
    UNSPLIT,
    Tally,
    cost_of,
    empty,
    shift,
    tokens_of,
)

UNKNOWN = "unknown"
"""Stands for a provider or model that nothing anywhere said."""

_NO_CALLS: Tally = [0] * (CHANGES + 1)


def project(parts: Parts, now: str | None, *, sealed: bool) -> Metrics:
    """Return the metrics as of ``now``."""
    ledger = parts.ledger
    ledger.settle()
    measured_models = _models(parts)
    models = [model for model, _ in measured_models]
    issues = [_issue(parts, issue, now) for issue in parts.issues.all.values()]
    code = parts.code.metrics()
    if code is None and parts.issue_code is not None:
        code = parts.issue_code.metrics()
    steps = parts.steps.metrics(now, ledger.by_step, has_model_calls=bool(ledger.run[CALLS]))
    run = _run(parts, now, models, steps)
    return Metrics(
        run=run,
        steps=steps,
        whole=_whole(parts, run) if run.status is not None and not steps else None,
        current_step=parts.steps.current,
        issues=issues,
        agents=parts.agents.metrics(now, ledger.by_agent),
        attempts=parts.agents.attempts(),
        models=models,
        cost_by_issue=_costs(ledger.by_issue),
        cost_by_agent=_costs(ledger.by_agent),
        cost_by_step=_costs(ledger.by_step),
        tools=parts.calls.tools(),
        services=parts.calls.services(),
        health=parts.health.metrics(),
        instruments=parts.instruments.metrics(measured(measured_models)),
        pipelines=parts.pipelines.metrics(),
        pipeline_totals=parts.pipelines.totals(),
        debugging=parts.debugging.metrics(now),
        debugging_totals=parts.debugging.totals(),
        code=code,
        tests=parts.tests.metrics(),
        resources=parts.resources.metrics(),
        errors=parts.notices.groups(),
        notices=parts.notices.notices(),
        checks=parts.notices.checks(),
        questions=parts.notices.questions(),
        series=parts.trends.series(),
        journal=_journal(parts, sealed=sealed),
    )


def _run(parts: Parts, now: str | None, models: list[ModelMetrics], steps: list[StepMetrics]) -> Run:
    facts, totals = parts.facts, parts.ledger.run
    started, completed = facts.started, facts.completed
    ended = [issue.status for issue in parts.issues.all.values() if issue.said is not None]
    successes = sum(ended_well(status) for status in ended)
    return Run(
        run_id=started.run_id if started else "",
        framework=started.framework if started else "",
        project_id=started.project_id if started else None,
        mode=started.mode if started else None,
        command=started.command if started else None,
        llm_configuration=facts.llm(),
        start_time=facts.start_time,
        end_time=facts.end_time,
        duration_seconds=facts.duration_s(now),
        status=completed.status if completed else None,
        proposed_status=facts.proposed,
        exit_code=completed.exit_code if completed else None,
        signal=completed.signal if completed else None,
        reason=completed.reason if completed else None,
        steps_planned=parts.steps.planned,
        step_names=parts.steps.planned_names,
        issues_processed=[issue.id for issue in parts.issues.all.values()],
        total_successes=successes,
        total_errors=len(ended) - successes,
        issues_open=len(parts.issues.all) - len(ended),
        steps_by_status=dict(Counter(step.status or "running" for step in steps)),
        success_rate=percent(successes, len(ended)),
        errors=parts.notices.errors,
        tokens=tokens_of(totals),
        cost_usd=cost_of(totals),
        unpriced_models=list(dict.fromkeys(model.model for model in models if model.calls_without_price)),
        unmeasured_models=list(dict.fromkeys(model.model for model in models if model.calls_without_split)),
        llm_calls=totals[CALLS],
        llm_requests=totals[REQUESTS],
        llm_duration_s=seconds(totals[MICROS]),
        alerts=parts.notices.alerts,
        max_cost_usd=facts.limit("max_cost_usd"),
        max_tokens=None if (most := facts.limit("max_tokens")) is None else int(most),
        recorders_replaced=parts.notices.recorders_replaced,
    )


def _whole(parts: Parts, run: Run) -> StepMetrics:
    """The run as one step. Source: record.md, "Logs": a run that ends without steps shows its output as one."""
    ended_badly = "failed" if run.status == "failed" else "interrupted"
    return StepMetrics(
        step=1,
        status="success" if ended_well(run.status) else ended_badly,
        start_time=run.start_time,
        end_time=run.end_time,
        duration_s=run.duration_seconds,
        api_calls=run.llm_calls + parts.steps.service_calls,
        llm_requests=run.llm_requests,
        tokens=run.tokens,
        cost_usd=run.cost_usd,
        errors=run.errors,
    )


def _journal(parts: Parts, *, sealed: bool) -> JournalMetrics:
    counts = parts.counts
    journal = JournalMetrics(
        offset=counts.offset,
        events=counts.events,
        unreadable=counts.unreadable,
        unknown=counts.unknown,
        after_seal=counts.after_seal,
        last_time=counts.last_time if sealed else parts.clock.ts,
    )
    return with_losses(journal, parts.notices.losses)


def _costs(rows: Mapping[int | None, Tally] | Mapping[str | None, Tally]) -> dict[str, float]:
    costs = (("" if key is None else str(key), cost_of(row)) for key, row in rows.items())
    return {key: cost for key, cost in costs if cost is not None}


def _models(parts: Parts) -> list[tuple[ModelMetrics, list[int]]]:
    """Return the models, each with its calls in the buckets of their durations.

    What named no provider or no model is merged into the run's own, where that became known.
    """
    run = parts.facts.llm()
    groups: dict[tuple[str, str], list[Model]] = {}
    for model in parts.ledger.models.values():
        if any(model.tally[:CHANGES]):
            names = model.provider or run.provider or UNKNOWN, model.name or run.model or UNKNOWN
            groups.setdefault(names, []).append(model)
    return [_model(names, group) for names, group in groups.items()]


def _model(names: tuple[str, str], group: list[Model]) -> tuple[ModelMetrics, list[int]]:
    row = empty()
    for model in group:
        shift([row], empty(), model.tally)
    durations = group[0].durations if len(group) == 1 else Histogram()
    if len(group) > 1:
        for model in group:
            durations.merge(model.durations)
    metrics = ModelMetrics(
        provider=names[0],
        model=names[1],
        calls=row[CALLS],
        requests=row[REQUESTS],
        retries=row[CALLS] - row[REQUESTS],
        rate_limits=row[RATE_LIMITS],
        timeouts=row[TIMEOUTS],
        failures=row[FAILURES],
        tokens=tokens_of(row),
        cost_usd=cost_of(row),
        priced=not row[UNPRICED],
        calls_without_price=row[UNPRICED] - row[UNSPLIT],
        calls_without_split=row[UNSPLIT],
        calls_without_tokens=row[MUTE],
        prices=next((model.prices for model in group if model.prices is not None), None),
        durations=durations.durations(),
    )
    return metrics, durations.exposed[:]


def _issue(parts: Parts, issue: Issue, now: str | None) -> IssueMetrics:
    tally = parts.ledger.by_issue.get(issue.name, _NO_CALLS)
    as_of = (issue.changes, tally[CHANGES])
    if issue.shown is not None and issue.shown_as == as_of and issue.said is not None and not issue.parts_open:
        return issue.shown
    agent_failures = sum(agent.failures for agent in issue.agents.values())
    issue.shown_as = as_of
    issue.shown = IssueMetrics(
        issue=issue.id,
        title=issue.title,
        status=issue.status,
        start_time=issue.span.start,
        end_time=issue.span.end,
        duration_s=issue.span.duration_s(now),
        agents=agents_of(issue, now, parts.ledger.by_issue_agent),
        pipelines=[pipeline.shown for pipeline in issue.pipelines],
        pipeline_totals=parts.pipelines.totals(issue),
        debugging=[cycle.metrics(now) for cycle in issue.cycles],
        debugging_totals=parts.debugging.totals(issue),
        total_errors=issue.errors + agent_failures + parts.pipelines.failures(issue),
        tokens=tokens_of(tally),
        cost_usd=cost_of(tally),
        code=issue.code.metrics(),
        test_coverage=issue.code.coverage,
        complexity_score=_complexity(parts, issue),
        first_time_right=_first_time_right(issue),
    )
    return issue.shown


def _complexity(parts: Parts, issue: Issue) -> float | None:
    """churn x its weight + files x theirs + retries x theirs, two digits; None without a snapshot of the issue's code.

    Churn is lines added and deleted. Retries are those of its agents, and its pipeline attempts after the first.
    """
    churn = issue.code.churn
    if churn is None:
        return None
    weights = parts.settings
    retries = sum(agent.retries for agent in issue.agents.values()) + max(0, len(issue.pipelines) - 1)
    score = churn * weights.churn_weight + issue.code.files * weights.files_weight + retries * weights.retries_weight
    return round(score, 2)


def _first_time_right(issue: Issue) -> bool | None:
    """None while it goes on, and where it ended well but no pipeline attempt can tell."""
    if issue.said is None:
        return None
    if not ended_well(issue.status) or issue.cycles:
        return False
    return first_pass(issue.pipelines)
