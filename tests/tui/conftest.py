"""The one place that knows how pictures are compared, so that another tool for it touches one file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import _wait
from textual.pilot import Pilot

from runwatch.tui.app import RunwatchApp
from runwatch.tui.control import Mode, Outcome
from runwatch.tui.state import Snapshot
from tui import sample
from tui.driving import Control, Driven, live

Picture = Callable[..., None]

# The pilot looks every 20 ms whether the app is idle, two or three times a key: most of these tests' time was that.
_wait.SLEEP_GRANULARITY, _wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 5, _wait.SLEEP_IDLE / 5
_wait.wait_for_idle.__defaults__ = (_wait.SLEEP_GRANULARITY, 1)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the app in an empty folder: what a key saves lands where it runs."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def picture(snap_compare: Callable[..., bool]) -> Picture:
    """Compare what the app shows of a run with the picture that a person found good.

    ``make pictures`` is not this: `pytest --snapshot-update tests/tui/test_pictures.py` takes them anew.
    """

    def compare(
        run_dir: Path,
        snapshot: Snapshot | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        theme: str = "runwatch-dark",
        keys: tuple[str, ...] = (),
        sees: tuple[str, ...] = (),
        mode: Mode = "run",
    ) -> None:
        shown = snapshot or live()
        app = RunwatchApp(
            run_dir, mode=mode, control=Control(), new_feed=lambda at, post: sample.StillFeed(at, post, shown)
        )

        async def pose(pilot: Pilot[Outcome]) -> None:
            driven = Driven(app, pilot, [])
            app.dress(theme)
            await driven.until(lambda: driven.run.snapshot is shown)
            await driven.press(*keys)
            for text in sees:
                await driven.sees(text)
            await driven.settles()

        # snap_compare drives the app with asyncio.run of its own and leaves no loop behind.
        assert snap_compare(app, terminal_size=size, run_before=pose)
        asyncio.set_event_loop(None)

    return compare
