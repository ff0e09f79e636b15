"""Which panels there are, in the order of their keys, and what an empty one says.

Must not hold a panel's content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runwatch.fold.metrics import Metrics
from runwatch.tui.cells import Line
from runwatch.tui.panels import agents, debugging, errors, git, model, overview, pipelines, system, tools


@dataclass(frozen=True)
class Panel:
    """One panel."""

    name: str
    """Its id and, capitalized, its title."""
    lines: Callable[[Metrics, int, int], list[Line]]
    """Metrics, width and height in cells → lines; none when there is nothing to show."""
    empty: tuple[str, str]
    """What would fill it, and how."""

    @property
    def title(self) -> str:
        """What its tab says."""
        return self.name.capitalize()


PANELS = (
    Panel("overview", overview.lines, ("Nothing recorded yet", "the first events appear here by themselves")),
    Panel("model", model.lines, ("No model calls yet", "llm_metrics.track_request() or `runwatch emit llm.completed`")),
    Panel("tools", tools.lines, ("No tool or service calls yet", "run.tool() and run.service() record them")),
    Panel("agents", agents.lines, ("No agents yet", "agent.started events name who works on what")),
    Panel("pipelines", pipelines.lines, ("No pipelines yet", "pipeline.completed events of CI attempts fill this")),
    Panel("debugging", debugging.lines, ("No debugging cycles yet", "debug.started opens one after a failure")),
    Panel("git", git.lines, ("No git repository here", "runs inside a work tree show their branch and diff")),
    Panel("system", system.lines, ("No samples yet", "the recorder samples the process tree every few seconds")),
    Panel(
        "errors",
        errors.lines,
        ("No errors and no warnings", "what the run records as error or warning is grouped here"),
    ),
)
"""In the order of their keys 1 to 9."""
