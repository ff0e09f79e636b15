"""logs_summary.txt: what a person reads first about a run that ended, 80 columns, about 10 KB however long the run.

Must not compute a metric. Source: finalizer.md, "The summary": the sections, their order, and how a step reads.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, StepMetrics
from runwatch.units import count, cut_apart, date_and_time, duration_long
from runwatch.views import phrases, summary_calls, summary_end, summary_work
from runwatch.views.facts import NO_FACTS, Facts
from runwatch.views.layout import Room, ends, field, left_out, one_line, plural, section, wrap

MOST_BYTES = 12_000
ENOUGH_BYTES = 10_000
"""Up to here lists are told whole, or longer than ``Room`` has it."""
_FACTORS = (8, 4, 2)


def render(metrics: Metrics, facts: Facts = NO_FACTS) -> str:
    """Return the whole summary; the archive is ``pending`` until ``facts`` has it. Same input, same text.

    A list is cut only where the whole would take more than ENOUGH_BYTES. Where every list is long, all of them are cut
    shorter until the whole takes at most MOST_BYTES.
    """
    for factor in _FACTORS:
        text = _render(metrics, facts, Room().times(factor))
        if len(text.encode(errors="replace")) <= ENOUGH_BYTES:
            return text
    room, smallest = Room(), Room().halved().halved()
    text = _render(metrics, facts, room)
    while len(text.encode(errors="replace")) > MOST_BYTES and room != smallest:
        room = room.halved()
        text = _render(metrics, facts, room)
    return text


def _render(metrics: Metrics, facts: Facts, room: Room) -> str:
    sections = [
        ("EXPERIMENT RUN SUMMARY", header(metrics, facts)),
        ("STEP EXECUTION SUMMARY", steps(metrics, room)),
        ("ISSUES", summary_work.issues(metrics, room)),
        ("AGENTS", summary_work.agents(metrics, room)),
        ("PIPELINES", summary_work.pipelines(metrics, room)),
        ("DEBUGGING CYCLES", summary_work.debugging(metrics, room)),
        ("TOOLS AND SERVICES", summary_calls.tools_and_services(metrics, room)),
        ("MODEL AND COST", summary_calls.model_and_cost(metrics, room)),
        ("CODE CHANGES", summary_calls.code_changes(metrics)),
        ("RESOURCES", summary_calls.resources(metrics)),
        ("ERRORS AND WARNINGS", summary_end.errors_and_warnings(metrics, room)),
        ("HUMAN INTERACTIONS", summary_end.human_interactions(metrics, room)),
        ("CHECKS AND ALERTS", summary_end.checks_and_alerts(metrics, room)),
        ("ARCHIVE", summary_end.archive(facts)),
        ("HOW TO GET AT THE DETAILS", summary_end.details(metrics, facts)),
    ]
    return "\n".join(line for title, lines in sections for line in section(title, lines))


def header(metrics: Metrics, facts: Facts) -> list[str]:
    """Return who, what, when and how it ended, and whatever is wrong with the record itself."""
    run = metrics.run
    ended = phrases.how_it_ended(run)
    lines = [
        *field("Run ID", run.run_id),
        *field("Framework", run.framework),
        *(field("Project", run.project_id) if run.project_id is not None else ()),
        *(field("Mode", run.mode) if run.mode else ()),
        *field("Model", phrases.model(run.llm_configuration)),
        *(() if run.llm_configuration.model else field("Warning", phrases.UNKNOWN_MODEL)),
        *field("Started", date_and_time(run.start_time) if run.start_time else "unknown"),
        *field("Completed", date_and_time(run.end_time) if run.end_time else "not yet"),
        *field("Duration", duration_long(run.duration_seconds)),
        *field("Status", phrases.status(run).upper() + (f" ({ended})" if ended else "")),
        *(field("Reason", phrases.reason(run), most_lines=4) if phrases.reason(run) else ()),
    ]
    for notice in phrases.record_notices(metrics.journal, run):
        lines += field("Record", notice)
    for failure in facts.failures:
        lines += field("Not done", f"{failure.stage}: {failure.reason}")
        lines += field("  Repeat", failure.remedy) if failure.remedy else []
    return lines


def steps(metrics: Metrics, room: Room) -> list[str]:
    """Return every step as the specification words it, the middle of a long list cut."""
    if not metrics.steps:
        return step_lines(metrics.whole) if metrics.whole else []
    planned = metrics.run.steps_planned
    total = f"{plural(len(metrics.steps), 'step')}: {phrases.steps_by_status(metrics.steps)}"
    lines = wrap(f"{total}; {count(planned)} planned" if planned is not None else total)
    head, omitted, tail = ends(metrics.steps, room.steps)
    names = {step.step: one_line(step.name) for step in (*head, *tail) if step.name}
    short = cut_apart(names.values(), 28)
    named = [f"{number:03d} {short[name]}" for number, name in names.items()]
    lines += wrap(", ".join(named), most_lines=6) if named else []
    lines.append("")
    for step in head:
        lines += step_lines(step)
    if omitted:
        between = metrics.steps[len(head) : len(head) + omitted]
        lines += wrap(left_out(omitted, f"steps ({phrases.steps_by_status(between)})"))
    for step in tail:
        lines += step_lines(step)
    return lines


def step_lines(step: StepMetrics) -> list[str]:
    """Return one step, to the letter of the specification: its name stands in the list above."""
    tokens = step.tokens
    times = f"(duration: {duration_long(step.duration_s)}, retries: {step.retries})"
    lines = [
        f"Step {step.step:03d}: {phrases.step_status(step).upper()} {times}",
        f"  - API Calls: {step.api_calls}",
        f"  - Tokens (prompt/completion/total): {tokens.prompt} / {tokens.completion} / {tokens.total}",
        f"  - LLM Requests: {step.llm_requests}",
    ]
    if step.note:
        lines += wrap(one_line(step.note), first="  - Note: ", rest="    ", most_lines=2)
    return lines
