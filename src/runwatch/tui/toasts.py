"""How many toasts there may be at once: what is said again replaces what was said, and they never pile up.

Must not decide what is said.
"""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notify

from runwatch.tui.control import Outcome

MOST = 4
"""So many can be read, and leave the screen to what they tell of."""
_RANK = ("information", "warning", "error")


class ToastingApp(App[Outcome]):
    """An app whose toasts stay few."""

    def on_notify(self, event: Notify) -> None:
        """Take away the same sentence, and what weighs least, before Textual adds the new one."""
        new = event.notification
        others = [each for each in self._notifications if (each.title, each.message) != (new.title, new.message)]
        # Textual keeps them in the order of their coming; a stable sort leaves the oldest of a kind first.
        kept = sorted(others, key=lambda each: _RANK.index(each.severity))[max(0, len(others) - MOST + 1) :]
        for each in [each for each in self._notifications if each not in kept]:
            self._unnotify(each, refresh=False)
