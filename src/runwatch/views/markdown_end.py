"""The last folded sections of summary.md: errors, people, checks, archive.

Must not compute a metric; a section with nothing to say is empty.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, Notice
from runwatch.units import count, duration_long, size
from runwatch.views import phrases
from runwatch.views.facts import Facts
from runwatch.views.layout import ends, left_out, plural
from runwatch.views.markdown import code

MOST_ITEMS = 10


def _items(texts: list[str], what: str) -> list[str]:
    head, omitted, tail = ends(texts, MOST_ITEMS)
    return [*head, *([f"- {left_out(omitted, what)}"] if omitted else []), *tail]


def errors(metrics: Metrics) -> list[str]:
    """Return the first error, the most frequent ones, and the warnings."""
    groups = metrics.errors[:1] + sorted(metrics.errors[1:], key=lambda group: -group.count)
    texts = []
    for group in groups[:MOST_ITEMS]:
        where = phrases.place(group.step, group.issue, group.component)
        texts.append(
            f"- {count(group.count)} × {code(phrases.error_text(group))}" + (f" {code(where)}" if where else "")
        )
    if len(groups) > MOST_ITEMS:
        texts.append(f"- {left_out(len(groups) - MOST_ITEMS, 'less frequent kinds')}")
    return [*texts, *_items(_notices(phrases.warnings(metrics)), "warnings")]


def _notices(notices: list[Notice]) -> list[str]:
    return [
        f"- {times}{f'{code(kind)}: ' if kind else ''}{code(notice.message)}"
        for notice, times, kind in phrases.grouped(notices)
    ]


def questions(metrics: Metrics) -> list[str]:
    """Return the questions and their answers."""
    texts = []
    for asked in metrics.questions:
        waited = "still waiting" if asked.wait_s is None else f"waited {duration_long(asked.wait_s)}"
        answer = "no answer" if asked.answer is None else code(asked.answer)
        texts.append(f"- {code(asked.question)} ({waited}): {answer}")
    return _items(texts, "questions")


def checks(metrics: Metrics) -> list[str]:
    """Return alerts, limits and checks."""
    return _items(_notices(phrases.checks(metrics)), "more")


def archive(metrics: Metrics, facts: Facts) -> list[str]:
    """Return what the archive is and the commands that open it."""
    made, run = facts.archive, metrics.run.run_id
    lines = ["- Archive: pending"]
    if made is not None:
        lines = [
            f"- Archive: {code(made.file)}, {size(made.size_bytes)}, {plural(made.members, 'member')}",
            f"- SHA-256: {code(made.sha256)}",
        ]
    elif any(failure.stage in ("archive", "verify") for failure in facts.failures):
        lines = ["- Archive: none"]
    commands = (f"runwatch show {run}", f"runwatch watch {run}", f"runwatch logs {run}", f"runwatch verify {run}")
    return [*lines, *(f"- {code(command)}" for command in commands)]
