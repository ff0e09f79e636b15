"""What the log view tells the rest of the app.

No behavior: messages state facts, the receiver decides what follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from runwatch.tui.widgets.log_frame import Found


@dataclass
class FollowChanged(Message):
    """The view began or ceased to follow the end of its logs."""

    following: bool
    """True while the newest line stays in view."""


@dataclass
class Stats(Message):
    """What the view's frame shows about its logs; a newer one replaces an unread older one."""

    lines: int
    """Lines in the source; an estimate while ``exact`` is False."""
    errors: int
    """Lines of level ERROR and above found so far."""
    following: bool
    """True while the newest line stays in view."""
    new: int
    """Lines that arrived since the view ceased to follow."""
    exact: bool = True
    """False while a big file is still being counted."""
    level: str | None = None
    """The least level that is shown; None: all."""
    of: int = 0
    """Lines there are, those below that level included."""

    def can_replace(self, message: Message) -> bool:
        """Return True for an older Stats: only the newest matters."""
        return isinstance(message, Stats)


class HitFound(Message, bubble=False):
    """The reader has looked for a line."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found = found
        """What came of it."""
