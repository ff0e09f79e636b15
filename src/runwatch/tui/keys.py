"""Every key of the main screen, what the footer and the help say of it, and whether it may be remapped as asked.

Must not hold an action's code. Each binding has an id ``room.verb``, by which the configuration remaps it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.keys import KEY_TO_UNICODE_NAME, REPLACED_KEYS, Keys

from runwatch.errors import SettingsError
from runwatch.tui.panels.deck import PANELS

if TYPE_CHECKING:
    from textual.dom import DOMNode

RUN_BINDINGS = [
    Binding("f", "log('follow')", "Follow the end of the log", id="log.follow"),
    Binding("slash", "log('search')", "Search the log", id="log.search"),
    Binding("n", "log('search_next')", "Next hit", id="log.next"),
    Binding("N", "log('search_previous')", "Previous hit", id="log.previous"),
    Binding("e", "log('error(1)')", "Next error line", id="log.error"),
    Binding("E", "log('error(-1)')", "Previous error line", id="log.error_back"),
    Binding("l", "log('level')", "Level: all, info, warn, error", id="log.level"),
    Binding("T", "log('time')", "Go to a time", id="log.time"),
    Binding("w", "log('wrap')", "Wrap long lines", id="log.wrap"),
    Binding("ctrl+s", "log('save')", "Save what is shown to a file", id="log.save"),
    Binding("c", "component(1)", "Next component", id="log.component"),
    Binding("C", "component(-1)", "Previous component", id="log.component_back"),
    Binding("left_square_bracket", "step(-1)", "Previous step", id="step.previous"),
    Binding("right_square_bracket", "step(1)", "Next step", id="step.next"),
    Binding("t", "steps", "List of steps", id="step.list"),
    *(
        Binding(str(number), f"panel({number - 1})", f"{panel.title} panel", id=f"panel.{panel.name}")
        for number, panel in enumerate(PANELS, 1)
    ),
    Binding("z", "zoom", "Zoom the focused pane", id="pane.zoom"),
    Binding("o", "summary", "Outcome and summary", id="run.summary"),
    Binding("escape,o", "back", "Back to the logs", id="run.back"),
    Binding("escape", "fold", "Fold away what covers the log", show=False, id="pane.fold"),
    Binding("r", "app.runs", "All runs", id="app.runs"),
    Binding("s", "app.stop", "Stop the run", id="run.stop"),
    Binding("question_mark", "app.help", "All keys", id="app.help"),
    Binding("q", "app.leave", "Quit", id="app.quit"),
]

RUN_BAR = (
    (("app.quit",), "quit"),
    (("app.help",), "help"),
    (("log.follow",), "follow"),
    (("log.search",), "search"),
    (("step.previous", "step.next"), "step"),
    (tuple(f"panel.{panel.name}" for panel in PANELS), "panel"),
    (("log.component",), "component"),
    (("run.stop",), "stop"),
    (("app.runs",), "runs"),
    (("log.next",), "next"),
    (("log.level",), "level"),
    (("run.summary",), "summary"),
    (("run.back",), "back"),
)
"""What the footer tries to find room for, the most important first."""

RUN_BAR_ORDER = (
    "log.follow",
    "log.search",
    "log.next",
    "log.level",
    "log.component",
    "step.previous",
    "panel.overview",
    "run.summary",
    "run.back",
    "app.runs",
    "run.stop",
    "app.help",
    "app.quit",
)
"""In which order it shows them."""

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED = frozenset(key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<")) - {"ctrl-at"}
"""Keys that print nothing: arrows, function keys and their like."""
_A_KEY = "a key is one character or a name such as f1, ctrl+x, space or escape; commas part several"


def check_keys(keys: Mapping[str, str]) -> None:
    """Refuse what ``[keys]`` cannot mean, so that nothing is created for an app that would not obey.

    Raises SettingsError for a binding id that the app does not have and for a key that no terminal sends.
    """
    known = binding_ids()
    for id, wanted in keys.items():
        setting = f"{id} = {wanted!r} under [keys]"
        if id not in known:
            raise SettingsError(f"{setting} is for no action of the app{_nearest(id, known)}.")
        for key in wanted.split(","):
            if not _is_key(key.strip()):
                raise SettingsError(f"{setting} cannot be: {key.strip()!r} is no key; {_A_KEY}.")


def binding_ids() -> frozenset[str]:
    """Return the id of every binding that the app, its screens and its widgets have."""
    from runwatch.tui import app
    from runwatch.tui.screens import dialog, help, record, run, runs
    from runwatch.tui.widgets import lines_view, log_search_bar, log_view

    rooms: tuple[type[DOMNode], ...] = (
        app.RunwatchApp,
        run.RunScreen,
        runs.RunsScreen,
        help.HelpScreen,
        dialog.Dialog,
        record.RecordScreen,
        lines_view.LinesView,
        log_view.LogView,
        log_search_bar.LogSearchBar,
    )
    return frozenset(each.id for room in rooms for each in Binding.make_bindings(room.BINDINGS) if each.id)


def _nearest(id: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    ids = sorted(known)
    verbs = [each for each in ids if each.partition(".")[2] == id.rpartition(".")[2]]
    near = get_close_matches(id, ids, n=1) or verbs[:1]
    return f"; the nearest is {near[0]}" if near else "; `?` in the app lists them, ids are such as log.search"


def _is_key(text: str) -> bool:
    """Whether Textual has a key of this name. **Source**: textual.keys; characters go by their Unicode name."""
    *modifiers, key = text.split("+") if len(text) > 1 else [text]
    if not _MODIFIERS.issuperset(modifiers) or len(set(modifiers)) < len(modifiers):
        return False
    if len(key) == 1:
        return key.isprintable() and not key.isspace()
    if key in _NAMED or key in KEY_TO_UNICODE_NAME or key in REPLACED_KEYS:
        return True
    try:
        character = unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return False
    return key.islower() and character.isprintable()
