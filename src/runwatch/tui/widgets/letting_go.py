"""Widgets that give up the focus they have, and not the one that somebody else got meanwhile.

No behavior beyond that.
"""

from __future__ import annotations

from typing import Self

from textual.widget import Widget


class LettingGo(Widget):
    """A widget that may be hidden while the focus moves on.

    Textual has a hidden widget take the focus from the screen a while later, whoever has it by then: keys typed at
    that moment would be commands.
    """

    def blur(self) -> Self:
        """Give up the focus, if it is still here then."""
        self.app.call_later(self._let_go)
        return self

    def _let_go(self) -> None:
        if self.is_attached and self.screen.focused is self:
            self.screen.set_focus(None)
