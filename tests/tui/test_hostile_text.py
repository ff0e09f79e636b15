"""Names and messages that try to take over the terminal, or to be read as markup, wherever they are shown."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import msgspec

from runwatch.fold import metrics as m
from runwatch.tui.panels.deck import PANELS
from runwatch.tui.state import Archive, Commit, Ending, Life, Outcome, Stage
from tui import sample
from tui.driving import Driven, drive, live, make_run, watching

HOSTILE = "[/nope][bold]$x\x1b[31mred\x1b]0;title\x07\x9b2J\u202eevil\r\n\x00\t[@click=app.quit]x[/]"


def poisoned() -> m.Metrics:
    """Return the sample with the hostile text in every string of it that is no time."""
    return msgspec.convert(_poison(msgspec.to_builtins(sample.metrics())), m.Metrics)


def _poison(value: object, key: str = "") -> object:
    if isinstance(value, dict):
        return {
            (HOSTILE + name if key.startswith("cost_by") else name): _poison(each, name) for name, each in value.items()
        }
    if isinstance(value, list):
        return [_poison(each, key) for each in value]
    if isinstance(value, str) and not key.endswith("time") and key != "status":
        return HOSTILE + value
    return value


def obeyed(app: Driven) -> set[str]:
    """Return the characters on the screen that a terminal would obey."""
    return {char for row in app.rows() for char in row if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")}


async def look_everywhere(app: Driven) -> None:
    """Go through every panel and pane, and look for what a terminal would obey."""
    for number in range(1, len(PANELS) + 1):
        await app.press(str(number))
        assert obeyed(app) == set()
    for key in ("t", "question_mark", "escape", "z", "z"):
        await app.press(key)
        assert obeyed(app) == set()


def test_no_name_or_message_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    async def task() -> None:
        for size in ((120, 40), (80, 24), (200, 50)):
            run_dir = make_run(tmp_path / str(size[0]))
            async with watching(run_dir, live(metrics=poisoned()), size=size) as app:
                app.app.TOOLTIP_DELAY = 0.01
                await app.sees("[/nope]")
                await look_everywhere(app)
                await app.press("t", "t", "up", "up")
                for pane in ("#steps", "#issues", "#panels"):
                    await app.pilot.hover(pane, offset=(6, 1))
                    await app.pilot.pause(0.1)
                    assert obeyed(app) == set()

    drive(task())


def test_the_end_of_a_run_shows_hostile_text_and_obeys_none(tmp_path: Path) -> None:
    ending = Ending(
        Outcome(status="failed", signal=HOSTILE, reason=HOSTILE),
        {"commit": Stage(error=HOSTILE, remedy=HOSTILE), HOSTILE: Stage(error=HOSTILE), "done": Stage(done=True)},
        Archive(HOSTILE, 1, HOSTILE, 1),
        Commit(HOSTILE, HOSTILE),
    )

    async def task() -> None:
        snapshot = live(metrics=poisoned(), life=Life.ENDED, ending=ending, summary=(HOSTILE + "\n") * 20)
        async with watching(make_run(tmp_path), snapshot) as app:
            await app.sees("logs_summary.txt")
            await app.sees("[/nope]")
            assert obeyed(app) == set()

    drive(task())


def test_a_hostile_directory_name_is_shown_in_the_header_and_its_questions(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = tmp_path / "runs" / "[nope]\x1b[31m" / "[b]\x9b\u202erun"
        (run_dir / "logs").mkdir(parents=True)
        async with watching(run_dir, live(metrics=m.Metrics(run=m.Run(start_time=sample.START)))) as app:
            await app.sees("[nope]␛[31m / [b]")
            await app.press("q")
            await app.sees("The run goes on")
            assert obeyed(app) == set()
            await app.press("escape", "s")
            await app.until(lambda: len(app.app._notifications) > 0)
            await app.pilot.pause()
            assert obeyed(app) == set()
            await app.press("r")
            await app.sees("Runs")
            assert obeyed(app) == set()

    drive(task())
