"""The agents panel: who worked, in how many attempts, and what that took.

Must not compute a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from runwatch.fold.metrics import AgentMetrics, Metrics
from runwatch.tui import charts
from runwatch.tui.cells import Column, Line, Piece, clean, heading, row
from runwatch.tui.look import DIM, RUNNING
from runwatch.tui.panels.phrases import dash_or
from runwatch.units import count, count_short, duration_short, usd

_BAR = 16
_COLUMNS = (
    Column("", 1, "left"),
    Column("agent", 12, "left", flexible=True, most=40),
    Column("attempts", 8, keep=8),
    Column("well / not", _BAR, "left", keep=1),
    Column("ok", 4, keep=6),
    Column("fail", 5, keep=8),
    Column("said", 7, keep=2),
    Column("retry", 5, keep=8),
    Column("time", 7, keep=5),
    Column("tools", 6, keep=7),
    Column("tokens", 7, keep=4),
    Column("cost", 9, keep=4),
)


def lines(metrics: Metrics, width: int, height: int) -> list[Line]:
    """Return the table."""
    if not metrics.agents:
        return []
    most = max(agent.successes + agent.failures for agent in metrics.agents)
    return [heading(_COLUMNS, width), *(row(_COLUMNS, _agent(agent, most), width) for agent in metrics.agents)]


def _agent(agent: AgentMetrics, most: int) -> Sequence[Piece]:
    ended = agent.successes + agent.failures
    cells = max(2, round(_BAR * ended / most)) if ended else 0
    well, badly = charts.split([agent.successes, agent.failures], cells)
    return (
        (RUNNING.glyph, RUNNING.style) if agent.running else "",
        clean(agent.agent),
        # Over all issues; how many an agent may make is said of each issue, in the list of issues.
        count(agent.attempts),
        Content.assemble(("━" * well, "$rw-done"), ("━" * badly, "$rw-failed")),
        count(agent.successes),
        (count(agent.failures), "$rw-failed") if agent.failures else ("–", DIM),
        _said(agent),
        dash_or(agent.retries, count(agent.retries)),
        duration_short(agent.duration_s),
        dash_or(agent.tool_calls, count(agent.tool_calls)),
        dash_or(agent.tokens.total, count_short(agent.tokens.total)),
        usd(agent.cost_usd) if agent.cost_usd is not None else ("–", DIM),
    )


def _said(agent: AgentMetrics) -> Piece:
    """Return the successes and failures that the agent itself reported, loud where the truth is another."""
    told = f"{count_short(agent.reported_successes)}/{count_short(agent.reported_failures)}"
    if agent.reported_successes > agent.successes or agent.reported_failures > agent.failures:
        return told, "$rw-warning"
    return (told if agent.reported_successes or agent.reported_failures else "–"), DIM
