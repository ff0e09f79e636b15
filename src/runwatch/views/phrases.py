"""The few phrases that several views use for the same fact, so that they cannot differ.

Must not compute a metric, nor know the format that the phrase goes into.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from runwatch.fold import losses
from runwatch.fold.metrics import ErrorGroup, JournalMetrics, Llm, Metrics, ModelMetrics, Notice, Run, StepMetrics
from runwatch.fold.outcome import ended_well
from runwatch.units import count, cut_middle, date_and_time, duration_long, parse_time, usd, usd_and_limit
from runwatch.views.facts import Facts
from runwatch.views.layout import one_line, plural

_MOST_STATUS = 40  # columns: it is a word
UNKNOWN_MODEL = "nothing names the model: set LLM_MODEL, or model under [llm] in runwatch.toml"
TROUBLE = frozenset({"warning", "recorder.replaced"})
"""Kinds of notice that stand among errors and warnings; all others are checks and alerts."""
TOLD_ABOVE = frozenset({"degraded"})
"""Kinds of notice that record_notices() says already."""


def status(run: Run) -> str:
    """Return the status for people: ``failed``; ``running`` while there is none."""
    return cut_middle(one_line(run.status or "running"), _MOST_STATUS)


def outcome(status: str) -> Literal["well", "badly", "otherwise"]:
    """Return which kind of status it is, for a mark or a color beside its word."""
    if ended_well(status):
        return "well"
    return "badly" if status.lower() in ("failed", "crashed") else "otherwise"


def how_it_ended(run: Run) -> str:
    """Return the exit code or the signal: ``exit code 3``, ``signal SIGKILL``; empty where neither is known."""
    if run.signal:
        return f"signal {one_line(run.signal)}"
    return "" if run.exit_code is None else f"exit code {run.exit_code}"


def reason(run: Run) -> str:
    """Return the reason on one line; empty where there is none, or where it only repeats how the run ended."""
    text = one_line(run.reason or "")
    return "" if text == how_it_ended(run) else text


def model(llm: Llm) -> str:
    """Return provider, model and temperature: ``openai/gpt-4o (temperature 0)``; ``unknown`` where none was named."""
    name = "/".join(one_line(part) for part in (llm.provider, llm.model or "unknown") if part)
    return name if llm.temperature is None else f"{name} (temperature {llm.temperature:g})"


def step_name(step: int | None, name: str | None = None) -> str:
    """Return ``step 003 generate API``."""
    if step is None:
        return "outside steps"
    return f"step {step:03d} {one_line(name)}" if name else f"step {step:03d}"


def steps_by_status(steps: list[StepMetrics]) -> str:
    """Return ``2 success, 1 failed``, in order of first appearance."""
    return ", ".join(f"{count(number)} {name}" for name, number in Counter(map(step_status, steps)).items())


def step_status(step: StepMetrics) -> str:
    """Return the status of a step for people; ``running`` while there is none."""
    return cut_middle(one_line(step.status or "running"), _MOST_STATUS)


def cost(run: Run) -> str:
    """Return the cost of the run, with its budget and what it leaves out: ``$0.43 of $5.00 (unpriced: a, b)``.

    What has no known price is told apart from what nobody knows the usage of.
    """
    spent, budget = usd(run.cost_usd), ""
    if run.max_cost_usd is not None:
        spent, limit = usd_and_limit(run.cost_usd, run.max_cost_usd)
        budget = f" of {limit}"
    parts = [("unpriced", run.unpriced_models), ("usage unknown", run.unmeasured_models)]
    unseen = "; ".join(f"{what}: {_few(names)}" for what, names in parts if names)
    if not unseen:
        return ("none" if run.cost_usd is None else spent) + budget
    if run.cost_usd is None:
        return unseen + (f", of a budget{budget}" if budget else "")
    return f"{spent}{budget} ({unseen})"


def _few(names: list[str]) -> str:
    more = f" and {count(len(names) - 5)} more" if len(names) > 5 else ""
    return ", ".join(map(one_line, names[:5])) + more


def tokens(run: Run) -> str:
    """Return the tokens of the run, with their limit: ``18,200 of 2,000,000``."""
    return count(run.tokens.total) + ("" if run.max_tokens is None else f" of {count(run.max_tokens)}")


def model_cost(model: ModelMetrics) -> str:
    """Return the cost of a model's calls: ``unpriced`` where it has no known price, ``none`` where nothing was used.

    ``usage unknown``: where that is why. Calls beside priced ones are counted: ``$0.43 (2 calls unpriced)``.
    """
    parts = [("unpriced", model.calls_without_price), ("usage unknown", model.calls_without_split)]
    unseen = [(what, number) for what, number in parts if number]
    if model.cost_usd is None:
        return ", ".join(what for what, _ in unseen) or ("none" if model.priced else "unpriced")
    more = ", ".join(f"{plural(number, 'call')} {what}" for what, number in unseen)
    return usd(model.cost_usd) + (f" ({more})" if more else "")


def without_tokens(model: ModelMetrics) -> str:
    """Return how many calls the tokens of a model leave out, as what goes behind them; empty text where none."""
    number = model.calls_without_tokens
    return f" (not those of {plural(number, 'call')})" if number else ""


def record_notices(journal: JournalMetrics, run: Run) -> list[str]:
    """Return what is wrong with the record itself, one line each; nothing when it is whole."""
    notices = []
    if degraded(journal):
        notices.append(degraded(journal))
    if journal.unreadable:
        notices.append(f"unreadable: {count(journal.unreadable)}")
    if journal.unknown:
        notices.append(f"of unknown type: {plural(journal.unknown, 'event')}")
    if journal.after_seal:
        notices.append(f"after the end: {plural(journal.after_seal, 'line')} not counted")
    if run.recorders_replaced:
        notices.append(f"recorder replaced: {plural(run.recorders_replaced, 'time')}")
    return notices


def degraded(journal: JournalMetrics) -> str:
    """Return ``degraded: 12 events dropped since 2026-11-21 15:28:14``; empty when nothing was lost."""
    if not (journal.dropped or journal.lost_log_lines or journal.lost_output_bytes):
        return ""
    since = f" since {one_line(date_and_time(journal.dropped_since))}" if journal.dropped_since else ""
    return f"degraded: {losses.in_words(journal)}{since}"


def error_text(group: ErrorGroup) -> str:
    """Return ``ValueError: message`` of recorded errors."""
    kind = one_line(group.error_type or "error")
    message = one_line(group.message)
    return f"{kind}: {message}" if message else kind


def pipeline_times(metrics: Metrics) -> tuple[float | None, float | None]:
    """Return the seconds that CI attempts waited and ran in all; None where nobody said it of any."""
    return metrics.pipeline_totals.queued_s, metrics.pipeline_totals.duration_s


def queued_and_ran(metrics: Metrics) -> str:
    """Return ``Queued 12.0s, ran 2m 34s in all``, as far as it is known; empty where nothing is."""
    queued, ran = pipeline_times(metrics)
    parts = [
        "" if queued is None else f"queued {duration_long(queued)}",
        "" if ran is None else f"ran {duration_long(ran)}",
    ]
    told = ", ".join(part for part in parts if part)
    return f"{told[0].upper()}{told[1:]} in all" if told else ""


def place(step: int | None, issue: int | str | None, component: str | None) -> str:
    """Return where something happened: ``step 003, issue 123, adapter``; empty where nobody said."""
    parts = [f"step {step:03d}" if step is not None else "", f"issue {one_line(issue)}" if issue is not None else ""]
    return ", ".join(part for part in (*parts, one_line(component) if component else "") if part)


def time_of_day(text: str | None) -> str:
    """Return the UTC time of day to the second; blanks where there is none."""
    try:
        return parse_time(text).strftime("%H:%M:%S") if text else " " * 8
    except ValueError:
        return " " * 8


def yes_no(value: bool | None) -> str:
    """Return ``yes``, ``no`` or ``n/a``."""
    return "n/a" if value is None else "yes" if value else "no"


def warnings(metrics: Metrics) -> list[Notice]:
    """Return the notices that stand among errors and warnings."""
    return [notice for notice in metrics.notices if notice.kind in TROUBLE]


def checks(metrics: Metrics) -> list[Notice]:
    """Return the notices that stand among checks and alerts."""
    return [notice for notice in metrics.notices if notice.kind not in TROUBLE | TOLD_ABOVE]


def grouped(notices: list[Notice]) -> list[tuple[Notice, str, str]]:
    """Return notices with the same text once: notice, how often (empty for once), kind.

    Warnings in order of the first; all else in order of the last, so that the last word of a check stands last. The
    kind is empty for plain warnings: the heading says it.
    """
    groups: dict[tuple[str, str], Notice] = {}
    for notice in notices:
        if notice.kind not in TROUBLE:
            groups.pop((notice.kind, notice.message), None)
        groups.setdefault((notice.kind, notice.message), notice)
    numbers = Counter((notice.kind, notice.message) for notice in notices)
    return [
        (
            notice,
            f"{count(numbers[key])} × " if numbers[key] > 1 else "",
            "" if notice.kind == "warning" else one_line(notice.kind),
        )
        for key, notice in groups.items()
    ]


def repeat_words(metrics: Metrics, facts: Facts) -> list[str]:
    """Return the words, quoted for a shell, of the command that repeats the run; none where nobody recorded one."""
    words: Sequence[str] = facts.repeat or ()
    if not words and metrics.run.command:
        words = ("runwatch", "run", "--framework", metrics.run.framework, "--", *metrics.run.command)
    return [shlex.quote(word) for word in words]


def run_path(metrics: Metrics, facts: Facts) -> str:
    """Return the run directory as a reader of the repository finds it."""
    return facts.run_path or f"runs/{metrics.run.framework}/{metrics.run.run_id}"
