"""summary.md: the first thing a reviewer reads in a pull request.

Must not compute a metric. Source: finalizer.md, "The summary": status; where it failed, the last lines of that step and
the command that repeats it; then cost, tokens, duration, changes against the runs before; details folded away.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics
from runwatch.units import count, duration_long, percent
from runwatch.views import markdown_details, phrases
from runwatch.views.facts import NO_FACTS, Change, Facts
from runwatch.views.layout import plural
from runwatch.views.markdown import code, fence, money, table

MOST_LOG_LINES = 20

_MARKS = {"well": "✓", "badly": "✗", "otherwise": "■"}
_LABELS = {
    "duration_seconds": "Duration",
    "cost_usd": "Cost",
    "tokens": "Tokens",
    "errors": "Errors",
    "success_rate": "Success rate",
}


def render(metrics: Metrics, facts: Facts = NO_FACTS) -> str:
    """Return the whole page. Same input, same text; nothing in it can leave the place where it is shown."""
    lines = [
        *_status(metrics),
        *_record(metrics, facts),
        *_failure(metrics, facts),
        *_headline(metrics, facts),
        "",
        *markdown_details.render(metrics, facts),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _status(metrics: Metrics) -> list[str]:
    run = metrics.run
    how = phrases.how_it_ended(run)
    mark = _MARKS[phrases.outcome(phrases.status(run))]
    ended = f" ({code(how)})" if how else ""
    lines = [f"## {mark} {code(phrases.status(run))}{ended}: {code(f'{run.framework}/{run.run_id}')}", ""]
    reason = phrases.reason(run)
    return [*lines, f"Reason: {code(reason, most=400)}", ""] if reason else lines


def _record(metrics: Metrics, facts: Facts) -> list[str]:
    lines = [f"- **Record**: {code(text)}" for text in phrases.record_notices(metrics.journal, metrics.run)]
    if not metrics.run.llm_configuration.model:
        lines.append(f"- **Warning**: {phrases.UNKNOWN_MODEL}")
    for failure in facts.failures:
        remedy = f"; repeat with {code(failure.remedy)}" if failure.remedy else ""
        lines.append(f"- **Not done**: {code(failure.stage)}: {code(failure.reason, most=400)}{remedy}")
    return [*lines, ""] if lines else []


def _failure(metrics: Metrics, facts: Facts) -> list[str]:
    failed, lines = facts.failed_step, []
    if failed is not None:
        name = f" {code(failed.name)}" if failed.name else ""
        where = (
            f" in step {failed.step:03d}{name}" if failed.step is not None else " outside steps" * bool(metrics.steps)
        )
        last = failed.lines[-MOST_LOG_LINES:]
        log = f" of {code(failed.log)}" if failed.log else ""
        said = f" The last {plural(len(last), 'line')}{log}:" if last else " Nothing was written there."
        lines += [f"Failed{where}.{said}", "", *((*fence(last), "") if last else ())]
    if failed is not None or phrases.status(metrics.run) in ("failed", "crashed", "interrupted"):
        command = " ".join(phrases.repeat_words(metrics, facts))
        lines += ["Repeat it with:", "", *fence(command.splitlines(), "sh"), ""] if command else []
    return lines


def _headline(metrics: Metrics, facts: Facts) -> list[str]:
    run = metrics.run
    values = {
        "cost_usd": code(phrases.cost(run)) if metrics.models or run.cost_usd is not None else None,
        "tokens": phrases.tokens(run) if run.llm_calls or run.tokens.total else None,
        "duration_seconds": duration_long(run.duration_seconds),
        "success_rate": None if run.success_rate is None else percent(run.success_rate, 2),
        "errors": count(run.errors),
    }
    shown = [(name, value) for name, value in values.items() if value is not None]
    comparison = facts.comparison
    if comparison is None or not comparison.runs:
        return table(("", "this run"), shown, lambda row: [_LABELS[row[0]], row[1]], most=len(shown), what="metrics")
    before: dict[str, Change] = {change.metric: change for change in comparison.changes}
    return table(
        ("", "this run", f"median of {plural(comparison.runs, 'run')} before", "change"),
        shown,
        lambda row: [_LABELS[row[0]], row[1], _before(before.get(row[0])), _change(before.get(row[0]))],
        most=len(shown),
        what="metrics",
    )


def _before(change: Change | None) -> str:
    if change is None or change.before is None:
        return ""
    if change.metric == "duration_seconds":
        return duration_long(change.before)
    if change.metric == "cost_usd":
        return money(change.before)
    return percent(change.before, 2) if change.metric == "success_rate" else count(round(change.before))


def _change(change: Change | None) -> str:
    return "" if change is None or change.change_pct is None else f"{change.change_pct:+.1f}%"
