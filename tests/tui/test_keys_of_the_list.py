"""The list of keys: a key that it names closes it and does what it says there."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.tui.screens.help import HelpScreen
from tui.driving import Control, Driven, drive, make_run, watching


def is_open(app: Driven) -> bool:
    return isinstance(app.app.screen, HelpScreen)


@pytest.mark.parametrize(
    ("key", "then"),
    [
        ("slash", lambda app: app.run.query("LogSearchBar Input") and app.run.focused.id != "log"),
        ("2", lambda app: app.run.panel == 1),
        ("s", lambda app: "Stop the run?" in app.text()),
        ("left_square_bracket", lambda app: app.run.selected == 2),
    ],
)
def test_a_key_of_the_list_does_what_it_says_there(tmp_path: Path, key: str, then) -> None:  # type: ignore[no-untyped-def]
    async def task() -> None:
        async with watching(make_run(tmp_path), control=Control()) as app:
            await app.sees("speaks in step 3")
            await app.press("question_mark")
            await app.until(lambda: is_open(app))
            await app.press(key)
            await app.until(lambda: not is_open(app) and then(app))

    drive(task())


def test_a_search_goes_on_from_the_list_of_keys(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("speaks in step 3")
            await app.press("slash", *"adapter", "enter", "question_mark")
            await app.until(lambda: is_open(app))
            await app.press("n")
            await app.until(lambda: not is_open(app) and len(app.app._notifications) == 1)

    drive(task())


def test_keys_that_move_the_list_move_it_and_unknown_ones_do_nothing(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), size=(80, 24)) as app:
            await app.press("question_mark")
            await app.until(lambda: is_open(app))
            first = app.text()
            await app.press("j", "pagedown", "x", "f12")
            await app.until(lambda: is_open(app) and app.text() != first)
            for key in ("q", "question_mark"):
                await app.press(key)
                await app.until(lambda: not is_open(app))
                await app.press("question_mark")
                await app.until(lambda: is_open(app))

    drive(task())
