"""The folded sections of summary.md.

Must not compute a metric; a section with nothing to say is left out.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, StepMetrics
from runwatch.units import count, date_and_time, duration_long
from runwatch.views import markdown_calls, markdown_end, markdown_work, phrases
from runwatch.views.facts import Facts
from runwatch.views.layout import plural
from runwatch.views.markdown import code, folded, money, table

MOST_ROWS = 20


def render(metrics: Metrics, facts: Facts) -> list[str]:
    """Return all of them, in the order of logs_summary.txt."""
    sections = [
        ("Run", run_facts(metrics)),
        (f"Steps ({count(len(metrics.steps))})", steps(metrics)),
        (f"Issues ({count(len(metrics.issues))})", markdown_work.issues(metrics)),
        (f"Agents ({count(len(metrics.agents))})", markdown_work.agents(metrics)),
        (f"Pipelines ({count(metrics.pipeline_totals.attempts)})", markdown_work.pipelines(metrics)),
        (f"Debugging cycles ({count(metrics.debugging_totals.cycles)})", markdown_work.debugging(metrics)),
        ("Tools and services", markdown_calls.tools_and_services(metrics)),
        ("Model and cost", markdown_calls.model_and_cost(metrics)),
        ("Code changes", markdown_calls.code_changes(metrics)),
        ("Resources", markdown_calls.resources(metrics)),
        (f"Errors and warnings ({count(metrics.run.errors)})", markdown_end.errors(metrics)),
        (f"Human interactions ({count(len(metrics.questions))})", markdown_end.questions(metrics)),
        (
            f"Checks and alerts ({count(len(phrases.checks(metrics)))}, {plural(metrics.run.alerts, 'alert')})",
            markdown_end.checks(metrics),
        ),
        ("Archive and details", markdown_end.archive(metrics, facts)),
    ]
    return [line for title, lines in sections for line in folded(title, lines)]


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
    planned = metrics.run.steps_planned
    header = ("step", "status", "duration", "retries", "API calls", "LLM requests", "tokens", "cost", "errors")
    return [
        *([f"{plural(planned, 'step')} planned.", ""] if planned is not None and metrics.steps else []),
        *table(header, metrics.steps, _step_cells, most=MOST_ROWS, what="steps"),
    ]


def _step_cells(step: StepMetrics) -> list[str]:
    return [
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
