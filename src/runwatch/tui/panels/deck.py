"""Which panels there are, in the order of their keys, and what an empty one says.

Must not hold a panel's content.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runwatch.fold.metrics import Metrics
    from runwatch.tui.cells import Line


@dataclass(frozen=True)
class Panel:
    """One panel."""

    name: str
    """Its id and, capitalized, its title."""
    empty: tuple[str, str]
    """What would fill it, and how."""

    def lines(self, metrics: Metrics, width: int, height: int) -> list[Line]:
        """Return what it shows in so many cells; nothing when there is nothing to show.

        Its module is imported when it is first shown: eight of nine are not, when the app opens.
        """
        module = import_module(f"runwatch.tui.panels.{self.name}")
        rows: list[Line] = module.lines(metrics, width, height)
        return rows

    @property
    def title(self) -> str:
        """What its tab says."""
        return self.name.capitalize()


PANELS = (
    Panel("overview", ("Nothing recorded yet", "the first events appear here by themselves")),
    Panel("model", ("No model calls yet", "llm_metrics.track_request() or `runwatch emit llm.completed`")),
    Panel("tools", ("No tool or service calls yet", "runwatch.tool() and runwatch.service() record them")),
    Panel("agents", ("No agents yet", "agent.started events name who works on what")),
    Panel("pipelines", ("No pipelines yet", "pipeline.completed events of CI attempts fill this")),
    Panel("debugging", ("No debugging cycles yet", "debug.started opens one after a failure")),
    Panel("git", ("No git repository here", "runs inside a work tree show their branch and diff")),
    Panel("system", ("No samples yet", "the recorder samples the process tree every few seconds")),
    Panel(
        "errors",
        ("No errors or warnings recorded", "what the run records; lines of level ERROR are counted below the log"),
    ),
)
"""In the order of their keys 1 to 9."""
