"""Every key of the main screen and what the footer and the help say of it.

Must not hold an action's code. Each binding has an id ``room.verb``, by which the configuration remaps it.
"""

from __future__ import annotations

from textual.binding import Binding

from runwatch.tui.panels.deck import PANELS

RUN_BINDINGS = [
    Binding("f", "follow", "Follow the end of the log", id="log.follow"),
    Binding("slash", "search", "Search the log", id="log.search"),
    Binding("n", "search_next", "Next hit", id="log.next"),
    Binding("N", "search_previous", "Previous hit", id="log.previous"),
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
    Binding("e", "summary", "Ending and summary", id="run.summary"),
    Binding("escape,e", "back", "Back to the logs", id="run.back"),
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
    (("run.summary",), "summary"),
    (("run.back",), "back"),
)
"""What the footer tries to find room for, the most important first."""

RUN_BAR_ORDER = (
    "log.follow",
    "log.search",
    "log.next",
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
