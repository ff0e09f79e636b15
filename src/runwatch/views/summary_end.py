"""The last sections of logs_summary.txt: what went wrong, who was asked, the archive, and where the rest is.

Must not compute a metric; a section with nothing to say is empty.
"""

from __future__ import annotations

from runwatch.fold.metrics import ErrorGroup, Metrics, Notice
from runwatch.units import count, date_and_time, duration_long, size
from runwatch.views import phrases
from runwatch.views.facts import Facts
from runwatch.views.layout import Room, ends, field, left_out, one_line, plural, wrap, wrap_words


def errors_and_warnings(metrics: Metrics, room: Room) -> list[str]:
    """Return the first error and the most frequent ones, then warnings with the same text once."""
    lines = []
    if metrics.errors:
        lines.append(f"{plural(metrics.run.errors, 'error')} of {plural(len(metrics.errors), 'kind')}")
        lines += _error("First: ", metrics.errors[0])
        frequent = sorted(metrics.errors[1:], key=lambda group: -group.count)
        for group in frequent[: room.errors]:
            lines += _error("", group)
        if len(frequent) > room.errors:
            lines.append(left_out(len(frequent) - room.errors, "less frequent kinds"))
    warnings = phrases.warnings(metrics)
    if warnings:
        lines.append(f"{plural(len(warnings), 'warning')}")
        lines += _notices(warnings, room.notices)
    return lines


def _error(label: str, group: ErrorGroup) -> list[str]:
    where = phrases.place(group.step, group.issue, group.component)
    when = date_and_time(group.first_time) if label and group.first_time else ""
    facts = ", ".join(part for part in (one_line(when), where, one_line(group.where or "")) if part)
    text = f"{label}{count(group.count)} × {phrases.error_text(group)}"
    return [
        *wrap(text, first="  ", rest="    ", most_lines=2),
        *(wrap(facts, first="    ", rest="    ", most_lines=1) if facts else ()),
    ]


def _notices(notices: list[Notice], most: int) -> list[str]:
    lines = []
    groups = phrases.grouped(notices)
    head, omitted, tail = ends(groups, most)
    for at, (notice, times, kind) in enumerate((*head, *tail)):
        if omitted and at == len(head):
            lines.append("  " + left_out(omitted, "more"))
        step = "" if notice.step is None else f" ({phrases.step_name(notice.step)})"
        text = f"{phrases.time_of_day(notice.time)} {times}{kind}{': ' if kind else ''}{one_line(notice.message)}{step}"
        lines += wrap(text, first="  ", rest=" " * 11, most_lines=2)
    return lines


def human_interactions(metrics: Metrics, room: Room) -> list[str]:
    """Return the questions, how long each waited, and the answers."""
    lines = []
    head, omitted, tail = ends(metrics.questions, room.questions)
    for at, question in enumerate((*head, *tail)):
        if omitted and at == len(head):
            lines.append(left_out(omitted, "questions"))
        waited = "still waiting" if question.wait_s is None else f"waited {duration_long(question.wait_s)}"
        text = f"{phrases.time_of_day(question.time)} {one_line(question.question)} ({waited})"
        lines += wrap(text, rest=" " * 9, most_lines=2)
        answer = "no answer" if question.answer is None else one_line(question.answer)
        lines += wrap(answer, first=" " * 9 + "-> ", rest=" " * 12, most_lines=2)
    return lines


def checks_and_alerts(metrics: Metrics, room: Room) -> list[str]:
    """Return alerts, limits and checks of what was said against what is so."""
    lines = [plural(metrics.run.alerts, "alert")] if metrics.run.alerts else []
    return lines + _notices(phrases.checks(metrics), room.notices)


def archive(facts: Facts) -> list[str]:
    """Return what the archive is, that it is pending, or why there is none."""
    if facts.archive is not None:
        return [
            *field("File", facts.archive.file),
            *field("Size", f"{size(facts.archive.size_bytes)} ({count(facts.archive.size_bytes)} bytes)"),
            *field("SHA-256", facts.archive.sha256),
            *field("Members", count(facts.archive.members)),
        ]
    for failure in facts.failures:
        if failure.stage in ("archive", "verify"):
            return field("Archive", f"none: {failure.reason}")
    return field("Archive", "pending")


def details(metrics: Metrics, facts: Facts) -> list[str]:
    """Return the commands that show, unpack, check and repeat the run."""
    run, path = one_line(metrics.run.run_id), one_line(phrases.run_path(metrics, facts))
    commands = [
        ("Watch", f"runwatch watch {run}"),
        ("Logs", f"runwatch logs {run}" + (" --step N" if metrics.steps else "")),
        ("Check", f"runwatch verify {run}"),
        ("Unpack", f"tar -xzf {path}/run.tar.gz"),
    ]
    lines = []
    for label, command in commands:
        lines += field(label, command)
    words = phrases.repeat_words(metrics, facts)
    return lines + (wrap_words(words, first="Repeat:     ", rest=" " * 12) if words else [])
