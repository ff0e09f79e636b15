"""Keys that come at once, as from a paste or over a slow line: those after a question are for it, whatever happens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from tui.driving import PATIENCE_S, Control, Driven, drive, live, make_run, watching
from tui.test_the_end_of_a_run import finalized

LETTERS = "slcTnre"
"""Each is a command on the main screen."""


def burst(app: Driven, text: str) -> None:
    """Let the terminal send keys with nothing handled between them."""
    driver = app.app._driver
    assert driver is not None
    names = {"/": "slash", ":": "colon", "?": "question_mark", "\r": "enter", "\x1b": "escape"}
    for each in text:
        key = events.Key(names.get(each, each), each if each.isprintable() else None)
        key.set_sender(app.app)
        driver.send_message(key)


def typed(app: Driven) -> str:
    """What stands in the field that has the focus."""
    return app.app.focused.value if isinstance(app.app.focused, Input) else ""


@pytest.mark.parametrize("before", ["/", "T", "?/", "?T", ":"])
def test_letters_after_a_question_are_for_it(tmp_path: Path, before: str) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), control=(control := Control())) as app:
            await app.sees("speaks in step 3")
            burst(app, before + LETTERS)
            await app.until(lambda: typed(app) == LETTERS)
            assert len(app.app.screen_stack) == 1 + (before == ":")
            assert not control.asked

    drive(task())


def test_a_search_before_there_is_a_log_is_one(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), control=(control := Control())) as app:
            burst(app, "/" + LETTERS)
            await app.until(lambda: typed(app) == LETTERS)
            assert not control.asked

    drive(task())


@pytest.mark.parametrize("first", ["end", "keys"])
@pytest.mark.parametrize("before", ["/", "T"])
def test_letters_are_for_the_question_also_when_the_run_ends_at_that_moment(
    tmp_path: Path, first: str, before: str
) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("speaks in step 3")
            if first == "keys":
                burst(app, before + LETTERS)
            app._feeds[0].show(finalized())
            if first == "end":
                burst(app, before + LETTERS)
            await app.until(lambda: typed(app) == LETTERS)
            await app.sees("✗ failed")
            assert typed(app) == LETTERS
            assert not app.run.shows_end
            assert len(app.app.screen_stack) == 1

    drive(task())


def test_a_question_on_the_summary_leads_to_the_logs(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.show(finalized())
            await app.sees("EXPERIMENT RUN SUMMARY")
            burst(app, "/" + LETTERS)
            await app.until(lambda: typed(app) == LETTERS)
            assert not app.run.shows_end

    drive(task())


def test_keys_after_an_answer_are_commands_again(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("speaks in step 3")
            burst(app, "/adapter\rl/")
            await app.sees("info and up")
            await app.until(lambda: typed(app) == "adapter")

    drive(task())


def test_a_widget_that_hangs_does_not_keep_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def task() -> None:
        monkeypatch.setattr("runwatch.tui.key_order._PATIENCE_S", 0.05)
        async with watching(make_run(tmp_path), live()) as app:
            await app.sees("speaks in step 3")
            hangs = asyncio.Event()
            app.run.call_later(hangs.wait)
            try:
                burst(app, "/x")
                async with asyncio.timeout(PATIENCE_S):
                    while app.app._keys_waiting:
                        await asyncio.sleep(0.01)  # the pilot would wait for the one that hangs
            finally:
                hangs.set()

    drive(task())
