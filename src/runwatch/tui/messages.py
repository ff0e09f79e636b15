"""What threads and widgets tell the screens: facts that happened, and what a person asked for.

No behavior beyond which message replaces which.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from runwatch.tui.state import Snapshot


@dataclass
class RunRead(Message):
    """The feed looked at the run; a newer look replaces an unread older one."""

    snapshot: Snapshot
    """How the run stands."""

    def can_replace(self, message: Message) -> bool:
        """Return True for an older look: only the newest matters."""
        return isinstance(message, RunRead)


@dataclass
class FeedBroke(Message):
    """The feed ended with an error; what is shown does not change any more."""

    reason: str
    """One sentence, safe to show."""


@dataclass
class StepAsked(Message):
    """A person wants to see the logs of a step."""

    step: int | None
    """Number; None: what was logged outside steps."""


@dataclass
class ComponentAsked(Message):
    """A person wants to see one component's log, or all."""

    component: str | None
    """Name; None: all."""


@dataclass
class PanelAsked(Message):
    """A person wants to see a panel."""

    index: int
    """Place in the row of panels, from 0."""


@dataclass
class RunAsked(Message):
    """A person wants to see another run."""

    run_dir: Path
    """Its directory."""


@dataclass
class RunOver(Message):
    """The command of the run has just ended: what was said and asked about a live one is stale."""


@dataclass
class EndAsked(Message):
    """A person wants to see the end of the run in place of its logs."""


@dataclass
class NewestAsked(Message):
    """A person wants to follow the newest step."""
