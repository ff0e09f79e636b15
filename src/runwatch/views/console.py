"""runwatch's own lines on stderr during and after ``runwatch run``: one per step, alert and result, then four.

Must not write them; color only when asked for. Every line is one line, whatever is in it.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, Notice, StepMetrics
from runwatch.units import count_short, cut_middle, duration_long, size, usd
from runwatch.views import phrases
from runwatch.views.facts import NO_FACTS, Facts
from runwatch.views.layout import one_line, plural

PREFIX = "runwatch: "

_TONES = {"well": "32", "badly": "31", "otherwise": "33"}
_MOST_COLUMNS = 200  # of one text


def step(ended: StepMetrics, *, color: bool = False) -> str:
    """Return the line of a step that ended: ``runwatch: step 003 generate API: success in 1m 02s, 1,801 tokens``."""
    facts = [f"{_status(phrases.step_status(ended), color)} in {duration_long(ended.duration_s)}"]
    if ended.retries:
        facts.append(plural(ended.retries, "retry", "retries"))
    if ended.tokens.total:
        facts.append(plural(ended.tokens.total, "token"))
    if ended.cost_usd is not None:
        facts.append(usd(ended.cost_usd))
    if ended.errors:
        facts.append(plural(ended.errors, "error"))
    name = cut_middle(phrases.step_name(ended.step, ended.name), _MOST_COLUMNS)
    return f"{PREFIX}{name}: {', '.join(facts)}"


def notice(raised: Notice, *, color: bool = False) -> str:
    """Return the line of an alert, a limit or a warning."""
    kind = _tone(one_line(raised.kind), "33", color)
    return f"{PREFIX}{kind}: {cut_middle(one_line(raised.message), _MOST_COLUMNS)}"


def closing(metrics: Metrics, facts: Facts = NO_FACTS, *, color: bool = False) -> list[str]:
    """Return the four lines after a run: result, summary, archive, commit.

    ``facts.run_path`` is shown as it is: give the path as the caller would type it. A stage that failed stands in the
    line it belongs to with its reason and the command that repeats it; others follow, a line each.
    """
    path = one_line(phrases.run_path(metrics, facts))
    lines = [
        f"{PREFIX}result   {_result(metrics, color)}",
        f"{PREFIX}summary  {_failed(facts, ('summary', 'summary_final'), color) or _summary(path, facts)}",
        f"{PREFIX}archive  {_failed(facts, ('archive', 'verify'), color) or _archive(path, facts) or 'pending'}",
        f"{PREFIX}commit   {_failed(facts, ('commit',), color) or _commit(facts) or 'none'}",
    ]
    placed = {"summary", "summary_final", "archive", "verify", "commit"}
    others = [failure for failure in facts.failures if failure.stage not in placed]
    for reason in dict.fromkeys(failure.reason for failure in others):
        stages = [failure.stage for failure in others if failure.reason == reason]
        failed = _failed(facts, (stages[0],), color, word="failed")
        lines.append(f"{PREFIX}{one_line(', '.join(stages)):<7}  {failed}")
    lines += [f"{PREFIX}record   {text}" for text in phrases.record_notices(metrics.journal, metrics.run)]
    lines += [f"{PREFIX}left     {text}" for text in _left_behind(metrics)]
    return lines


def _left_behind(metrics: Metrics) -> list[str]:
    """Return what the recorder says of processes that the command left behind."""
    mark = "left behind: "
    warnings = (each.message for each in metrics.notices if each.kind == "warning")
    return [cut_middle(one_line(text.removeprefix(mark)), _MOST_COLUMNS) for text in warnings if text.startswith(mark)]


def detached(run_id: str) -> list[str]:
    """Return how to watch, wait for and stop a run that was left running."""
    run = one_line(run_id)
    return [
        f"{PREFIX}running  {run}",
        f"{PREFIX}watch    runwatch watch {run}",
        f"{PREFIX}wait     runwatch wait {run}",
        f"{PREFIX}stop     runwatch stop {run}",
    ]


def _result(metrics: Metrics, color: bool) -> str:
    run = metrics.run
    how = phrases.how_it_ended(run)
    facts = [f"after {duration_long(run.duration_seconds)}"]
    if run.cost_usd is not None or run.unpriced_models or run.unmeasured_models:
        facts.append(phrases.cost(run))
    if run.tokens.total:
        facts.append(f"{count_short(run.tokens.total)} token{'' if run.tokens.total == 1 else 's'}")
    if run.errors:
        facts.append(plural(run.errors, "error"))
    ended = _status(phrases.status(run), color) + (f" ({how})" if how else "")
    reason = phrases.reason(run)
    return f"{ended} {', '.join(facts)}" + (f": {cut_middle(reason, _MOST_COLUMNS)}" if reason else "")


def _summary(path: str, facts: Facts) -> str:
    return f"{path}/logs_summary.txt" + (f" on branch {one_line(facts.summary_on)}" if facts.summary_on else "")


def _archive(path: str, facts: Facts) -> str:
    made = facts.archive
    return "" if made is None else f"{path}/{one_line(made.file)} ({size(made.size_bytes)}, sha256 {made.sha256[:12]}…)"


def _commit(facts: Facts) -> str:
    made = facts.commit
    if made is None:
        return ""
    where = one_line(made.branch) if made.branch else "a detached head"
    return f"{one_line(made.sha)[:12]} on {where}" + (f" ({one_line(made.note)})" if made.note else "")


def _failed(facts: Facts, stages: tuple[str, ...], color: bool, word: str = "none") -> str:
    for failure in facts.failures:
        if failure.stage in stages:
            later = f" (later: {one_line(failure.remedy)})" if failure.remedy else ""
            remedy = "" if failure.remedy and failure.remedy in failure.reason else later
            return f"{_tone(word, '33', color)}: {one_line(failure.reason)}{remedy}"
    return ""


def _status(status: str, color: bool) -> str:
    return _tone(status, _TONES[phrases.outcome(status)], color)


def _tone(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
