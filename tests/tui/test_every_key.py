"""No key breaks the app: each is pressed on each screen of a run that has ended; and what a break leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widget import Widget

from runwatch.errors import RunwatchError
from runwatch.tui import app as app_module
from runwatch.tui.app import RunwatchApp
from runwatch.tui.control import Outcome
from runwatch.tui.screens.run import RunScreen
from tui.driving import Driven, drive, make_run, watching
from tui.test_the_end_of_a_run import finalized

SCREENS = {
    "logs": (),
    "logs of another step": ("left_square_bracket",),
    "end": ("o",),
    "list of steps": ("t",),
    "panels": ("9", "tab", "tab"),
    "search": ("slash",),
    "all runs": ("r",),
    "help": ("question_mark",),
    "commands": ("colon",),
}
"""How to get to each screen and focus from the first one."""


def bound(app: RunwatchApp) -> Iterator[str]:
    """Return every key that does something at hand, those that leave last."""
    keys = {key for key, each in app.screen.active_bindings.items() if each.binding.id}
    focused = app.screen.focused
    for node in focused.ancestors_with_self if isinstance(focused, Widget) else ():
        keys |= set(node._bindings.key_to_bindings)
    return iter(sorted(keys - {"q", "ctrl+c", "ctrl+q", "ctrl+z"}))


async def press_all(app: Driven, way: tuple[str, ...]) -> None:
    """Press each key from a screen as it is after ``way``."""
    start = app.app.screen, app.app.focused, app.run.has_class("-ending"), app.run.has_class("-steps")
    for key in list(bound(app.app)):
        await app.pilot.press(key)
        if start == (app.app.screen, app.app.focused, app.run.has_class("-ending"), app.run.has_class("-steps")):
            continue
        while len(app.app.screen_stack) > 1:
            app.app.pop_screen()
        app.run.remove_class("-ending", "-steps")
        await app.press(*way)
        start = app.app.screen, app.app.focused, app.run.has_class("-ending"), app.run.has_class("-steps")


@pytest.mark.parametrize("name", SCREENS)
def test_every_key_of_every_binding_can_be_pressed_on_a_finished_run(tmp_path: Path, name: str) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), finalized(), mode="watch") as app:
            await app.until(lambda: app.run.query("#log"))
            await app.press(*SCREENS[name])
            assert list(bound(app.app)), "nothing is bound here"
            await press_all(app, SCREENS[name])
            assert app.app.is_running

    drive(task())


def test_every_key_can_be_pressed_on_a_run_without_a_log(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path, steps=0)
        run_dir.mkdir(parents=True)
        async with watching(run_dir, finalized(), mode="watch") as app:
            await app.until(lambda: app.run.query("#log"))
            await press_all(app, ())
            assert app.app.is_running

    drive(task())


def test_o_opens_the_end_of_a_run_that_had_ended_before_it_was_watched(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), finalized(), mode="watch") as app:
            await app.press("o")
            await app.sees("EXPERIMENT RUN SUMMARY")
            await app.press("o")
            await app.sees("step 003 · generate API")

    drive(task())


def test_an_app_that_breaks_is_an_error_of_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(self: RunScreen) -> None:
        secret = "sk-0000000000000000"  # noqa: F841 - Textual's own traceback would show it
        raise ValueError("no such\nthing")

    class Headless(RunwatchApp):
        def run(self, **options: object) -> Outcome | None:  # type: ignore[override]
            return super().run(headless=True)

    monkeypatch.setattr(RunScreen, "on_mount", broken)
    monkeypatch.setattr(app_module, "RunwatchApp", Headless)
    with pytest.raises(RunwatchError) as caught:
        app_module.run_app(make_run(tmp_path))
    assert "The app failed" in caught.value.sentence
    assert "ValueError: no such" in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert isinstance(caught.value.__cause__, ValueError)
    assert "sk-0000" not in "".join(capfd.readouterr())
