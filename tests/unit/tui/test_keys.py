"""What may stand under [keys], and what is refused before anything is created for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.errors import SettingsError
from runwatch.settings import Settings
from runwatch.tui.keys import RUN_BINDINGS, binding_ids, check_keys
from tui.driving import drive, make_run, watching

CHARACTERS = ["x", "X", "/", "+", "é", "slash", "left_square_bracket", "question_mark", "minus", "colon"]
NAMES = ["f1", "f12", "space", "escape", "pagedown"]
MODIFIED = ["ctrl+x", "shift+tab", "ctrl+shift+f5", "ctrl+backslash", "alt+x", "x,ctrl+x", "x, f3"]
NO_KEYS = ["", " ", ",", "x,", "xx", "f99", "ctrl+", "ctrl x", "strg+x", "ctrl+ctrl+x", "Escape"]


@pytest.mark.parametrize("key", [*CHARACTERS, *NAMES, *MODIFIED])
def test_a_key_that_a_terminal_sends_may_be_bound(key: str) -> None:
    check_keys({"log.search": key})


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_cannot_be_is_refused_with_what_a_key_looks_like(key: str) -> None:
    with pytest.raises(
        SettingsError, match=r"is no key; a key is one character or a name such as f1, ctrl\+x"
    ) as caught:
        check_keys({"log.search": key})
    assert repr(key) in caught.value.sentence
    assert "log.search" in caught.value.sentence


@pytest.mark.parametrize(
    ("id", "near"),
    [("log.serach", "log.search"), ("logs.search", "log.search"), ("quit", "app.quit"), ("run.stopp", "run.stop")],
)
def test_an_unknown_action_is_refused_with_the_nearest_known_one(id: str, near: str) -> None:
    with pytest.raises(SettingsError, match=rf"{id} = 'x' under \[keys\].*the nearest is {near}\.$"):
        check_keys({id: "x"})


def test_an_action_like_none_is_refused_with_where_they_are_listed() -> None:
    with pytest.raises(SettingsError, match=r"`\?` in the app lists them"):
        check_keys({"zzzz": "x"})


def test_every_binding_of_the_house_can_be_remapped_to_the_key_it_has() -> None:
    check_keys({binding.id or "": binding.key for binding in RUN_BINDINGS})
    assert binding_ids() >= {"run.interrupt", "list.choose", "log.copy", "search.regex", "help.close", "dialog.back"}


def test_a_remapped_character_reaches_its_action(tmp_path: Path) -> None:
    async def task() -> None:
        keys = {"app.help": "+, f4"}
        check_keys(keys)
        async with watching(make_run(tmp_path), settings=Settings(keys=keys)) as app:
            await app.press("f4")
            await app.sees("esc closes")
            await app.press("escape")
            await app.sees_no("esc closes")
            await app.press("plus")
            await app.sees("esc closes")

    drive(task())
