"""The footer line: the keys that matter here, as they are bound now, each a place to click.

Must not bind a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from runwatch.tui.look import DIM

Group = tuple[Sequence[str], str]
"""Ids of bindings, and the one word for them."""


class KeyBar(Widget):
    """Shows groups of binding ids with one word each, and runs the first one's action when clicked."""

    def __init__(self, groups: Sequence[Group], order: Sequence[str] = (), *, id: str | None = None) -> None:
        """``groups``: the most important first; those that find no room are left out. ``order``: by first id."""
        super().__init__(id=id)
        self._groups = groups
        self._order = list(order) or [ids[0] for ids, _ in groups]

    def on_mount(self) -> None:
        """Keys change with the keymap and with what is possible."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        """Return the line."""
        keys: dict[str, tuple[str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.id and active.enabled and binding.id not in keys:
                keys[binding.id] = (self.app.get_key_display(binding), binding.action)
        return Content.assemble(" ", *self._fitted(keys, self.size.width - 2))

    def _fitted(self, keys: dict[str, tuple[str, str]], room: int) -> Iterable[Content]:
        used = 0
        items: dict[str, Content] = {}
        for ids, word in self._groups:
            found = [keys[id] for id in ids if id in keys]
            if not found:
                continue
            shown = found[0][0] if len(found) == 1 else _joined([key for key, _ in found])
            item = Content.assemble((shown, "bold $rw-key"), (f" {word}", DIM))
            if used + item.cell_length > room:
                continue
            used += item.cell_length + 2
            items[ids[0]] = item.stylize(Style.from_meta({"action": found[0][1]}))
        for id in self._order:
            if id in items:
                yield items[id]
                yield Content("  ")

    async def on_click(self, event: events.Click) -> None:
        """Do what the word says."""
        action = event.style.meta.get("action")
        if action:
            await self.screen.run_action(action)


def _joined(keys: Sequence[str]) -> str:
    """Return ``1-9`` for a row of digits, else the keys side by side."""
    if len(keys) > 2 and all(key.isdigit() for key in keys):
        return f"{keys[0]}-{keys[-1]}"
    return " ".join(keys) if len(keys) <= 2 else keys[0]
