"""Driving the app in tests: a feed that a test holds in its hand, a control that remembers, and waiting for conditions.

Must not sleep for luck: everything waits until it is so, or fails saying what the screen showed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from runwatch.settings import Settings
from runwatch.tui.app import RunwatchApp
from runwatch.tui.control import Mode, Outcome
from runwatch.tui.screens.run import RunScreen
from runwatch.tui.state import Life, Snapshot
from tui import sample

PATIENCE_S = 15.0


@dataclass
class Control:
    """Remembers what it was asked."""

    asked: list[str] = field(default_factory=list)
    """Signals, ``detach`` and sizes, in order."""
    unreachable: bool = False
    """Whether the owner is gone."""
    is_ending: bool = False
    """Whether this terminal's program was told to end."""

    def stop(self, signal: str, by: str) -> None:
        """Remember the signal."""
        if self.unreachable:
            raise ConnectionError("the supervisor does not answer")
        self.asked.append(signal)

    def resize(self, rows: int, columns: int) -> None:
        """Remember the size."""
        self.asked.append(f"{rows}x{columns}")

    def detach(self) -> None:
        """Remember that nobody watches."""
        self.asked.append("detach")


class Driven:
    """An app under test."""

    def __init__(self, app: RunwatchApp, pilot: Pilot[Outcome], feeds: list[sample.StillFeed]) -> None:
        self.app = app
        self.pilot = pilot
        self._feeds = feeds

    @property
    def run(self) -> RunScreen:
        """The screen of the run."""
        return self.app.own

    async def press(self, *keys: str) -> None:
        """Press keys and let them be handled."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def show(self, snapshot: Snapshot) -> None:
        """Let the feed show another snapshot, and wait until the screen has it."""
        self._feeds[0].show(snapshot)
        await self.until(lambda: self.run.snapshot is snapshot)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain; the screen shows:\n{self.text()}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def sees(self, text: str) -> None:
        """Wait until the screen shows a text."""
        await self.until(lambda: text in self.text())

    async def sees_no(self, text: str) -> None:
        """Wait until the screen does not show a text."""
        await self.until(lambda: text not in self.text())

    async def settles(self) -> None:
        """Wait until the screen has stayed as it is for a while, workers and what lies below a question included."""
        former, same = "", 0
        while same < 5:
            await self.pilot.pause(0.03)
            shown = self.app.export_screenshot(simplify=True)
            former, same = shown, same + 1 if shown == former else 0

    def rows(self) -> list[str]:
        """Return what the screen shows, row by row."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        """Return what the screen shows."""
        return "\n".join(self.rows())


def make_run(root: Path, steps: int = 3) -> Path:
    """Make the directory of the sample's run with a log in each step."""
    run_dir = root / "runs" / "baes" / sample.RUN_ID
    for step in range(1, steps + 1):
        folder = run_dir / "logs" / f"step_{step:03d}"
        folder.mkdir(parents=True)
        for component in ("adapter", "orchestrator", "stdout"):
            (folder / f"{component}.log").write_text(f"{component} speaks in step {step}\n")
    return run_dir


def live(**changes: Any) -> Snapshot:
    """Return the sample's run in the middle of its life."""
    return replace(Snapshot(metrics=sample.metrics(), life=Life.RUNNING), **changes)


@asynccontextmanager
async def watching(
    run_dir: Path,
    first: Snapshot | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    mode: Mode = "run",
    control: Control | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Driven]:
    """Open the app on a run whose feed stands still at ``first``."""
    feeds: list[sample.StillFeed] = []

    def new_feed(directory: Path, post: Callable[[Snapshot], None]) -> sample.StillFeed:
        feeds.append(sample.StillFeed(directory, post, first or live()))
        return feeds[-1]

    app = RunwatchApp(run_dir, mode=mode, control=control, settings=settings, new_feed=new_feed)
    async with app.run_test(size=size, notifications=True) as pilot:
        driven = Driven(app, pilot, feeds)
        await driven.until(lambda: driven.run.snapshot.life is (first or live()).life)
        yield driven


def drive(task: Coroutine[Any, Any, None]) -> None:
    """Run one test."""
    asyncio.run(task)
