"""The list of issues: each with its state, and how often its agents tried.

Must not compute a metric.
"""

from __future__ import annotations

from textual.content import Content

from runwatch.fold.metrics import AgentMetrics, IssueMetrics, Metrics
from runwatch.tui.cells import Line, clean, field, line, right
from runwatch.tui.look import DIM, of_status
from runwatch.units import cut_apart, duration_short

_TIME = 6


def lines(metrics: Metrics, width: int) -> list[Line]:
    """Return one row an issue."""
    names = cut_apart((_name(issue) for issue in metrics.issues), _room(width))
    return [_line(issue, names[_name(issue)], width) for issue in metrics.issues]


def tally(metrics: Metrics) -> str:
    """Return ``1/2``: ended well of all; nothing without issues."""
    return f"{metrics.run.total_successes}/{len(metrics.issues)}" if metrics.issues else ""


def _name(issue: IssueMetrics) -> str:
    return clean(f"#{issue.issue}")


def _room(width: int) -> int:
    """Return the cells between the state and the time."""
    return max(4, width - _TIME - 3)


def _line(issue: IssueMetrics, shown: str, width: int) -> Line:
    mark = of_status(issue.status)
    agents = " · ".join(_agent(agent) for agent in issue.agents)
    told = agents or clean(issue.title or "")
    # A name that leaves no room for more is not cut once more at its end.
    body = Content.assemble(shown, ("  " + told, DIM)) if shown == _name(issue) else Content(shown)
    room = _room(width)
    whole = f"{_name(issue)} {clean(issue.title or '')} {agents}".strip()
    return line(
        (mark.glyph, mark.style),
        " ",
        field(body, room),
        (f" {right(duration_short(issue.duration_s), _TIME)}", DIM),
        whole=whole if body.cell_length > room or shown != _name(issue) else None,
    )


def _agent(agent: AgentMetrics) -> str:
    tries = f"{agent.attempts}/{agent.max_attempts}" if agent.max_attempts else str(agent.attempts)
    return f"{clean(agent.agent)} {tries}"
