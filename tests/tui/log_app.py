"""A log view alone in an app, and the logs of a run that a test writes.

Must not sleep for luck: everything waits until it is so, or fails saying what the screen showed.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.pilot import Pilot

from runwatch.journal.log_files import RunLogs
from runwatch.tui import theme
from runwatch.tui.widgets import log_view
from runwatch.tui.widgets.log_messages import FollowChanged, Stats
from runwatch.tui.widgets.log_view import LogView

START = 1_795_224_000.0
SIZE = (100, 20)


def driven(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine."""

    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        asyncio.run(test(*args, **named))

    return run


class LogApp(App[None]):
    """The log view and nothing else."""

    CSS_PATH = [Path(log_view.__file__).with_name("log_view.tcss")]
    AUTO_FOCUS = "LogView"

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.source = source
        self.follows: list[bool] = []
        self.stats: Stats | None = None
        self.told: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.stand_ins(self.current_theme)

    def compose(self) -> ComposeResult:
        yield LogView(empty="Nothing here yet.")

    def on_mount(self) -> None:
        self.view.show(self.source)

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def on_follow_changed(self, message: FollowChanged) -> None:
        self.follows.append(message.following)

    def on_stats(self, message: Stats) -> None:
        self.stats = message

    def notify(self, message: str, **options: Any) -> None:
        self.told.append(message)
        super().notify(message, **options)

    def screen_lines(self) -> list[str]:
        """What is drawn, row by row."""
        canvas = self.view._canvas
        return [canvas.render_line(y).text.rstrip() for y in range(canvas.rows)]

    def text(self) -> str:
        return "\n".join(self.screen_lines())

    def style_of(self, text: str) -> Style:
        """The style in which a text is drawn."""
        canvas = self.view._canvas
        for y in range(canvas.rows):
            for segment in canvas.render_line(y):
                if text in segment.text and segment.style:
                    return segment.style
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}")

    def color(self, variable: str) -> tuple[int, int, int]:
        return Color.parse(self.get_css_variables()[variable]).rgb


async def until(pilot: Pilot[None], holds: Callable[[], bool], what: str = "") -> None:
    """Wait for a condition; fail with what the screen shows."""
    for _ in range(600):
        if holds():
            return
        await pilot.pause(0.01)
    app = pilot.app
    assert isinstance(app, LogApp)
    raise AssertionError(f"{what or 'it did not happen'}; the screen shows:\n{app.text()}")


async def until_shown(pilot: Pilot[None], *texts: str) -> None:
    app = pilot.app
    assert isinstance(app, LogApp)
    await until(pilot, lambda: all(text in app.text() for text in texts), f"{texts} not shown")


def json_line(number: int, at: float, level: str = "INFO", **more: Any) -> bytes:
    return json.dumps({"ts": START + at, "level": level, "msg": f"line {number:05d}", **more}).encode() + b"\n"


class Logs:
    """A run directory whose logs a test writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.step = root / "logs" / "step_001"
        self.step.mkdir(parents=True)
        self.logs = RunLogs(root)

    def add(self, component: str, data: bytes) -> None:
        with (self.step / f"{component}.log").open("ab") as file:
            file.write(data)

    def source(self, *components: str) -> Any:
        self.logs.poll()
        return self.logs.source(1, list(components) or None)
