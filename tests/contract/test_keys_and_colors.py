"""What holds for the whole app: every key has a name, every color comes from a theme."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.color import Color
from textual.dom import DOMNode
from textual.theme import BUILTIN_THEMES

import runwatch.tui
from runwatch import palettes
from runwatch.tui import theme

TUI = Path(runwatch.tui.__file__).parent
SOURCES = sorted([*TUI.rglob("*.py"), *TUI.rglob("*.tcss")])
TEXTUAL = {"$accent", "$background", "$foreground", "$panel", "$surface", "$primary", "$secondary"}
"""Variables that every theme of Textual has."""


def bindings() -> list[tuple[str, Binding]]:
    """Return every binding that the app's own classes make, with the class's name."""
    found = []
    for module in pkgutil.walk_packages([str(TUI)], "runwatch.tui."):
        for name, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if each.__module__ == module.name and issubclass(each, DOMNode):
                found += [(name, binding) for binding in vars(each).get("BINDINGS", ()) if isinstance(binding, Binding)]
    return found


def test_every_binding_can_be_remapped_and_says_what_it_does() -> None:
    found = bindings()
    assert len(found) > 30
    for name, binding in found:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", binding.id or ""), f"{name}: {binding.key}"
        assert binding.description, binding.id


def test_one_name_means_one_thing() -> None:
    meanings = defaultdict(set)
    for _, binding in bindings():
        action = re.sub(r"^log\('(.*)'\)$", r"\1", binding.action)  # the screen does what the log view would
        meanings[binding.id].add(action.rpartition(".")[2])
    assert {id: actions for id, actions in meanings.items() if len(actions) > 1} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(TUI).as_posix())
def test_no_color_is_written_down_outside_the_themes(path: Path) -> None:
    assert not re.search(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?\b", path.read_text()), path


def test_every_variable_that_is_named_exists_in_every_theme() -> None:
    named = {name for path in SOURCES for name in re.findall(r"\$[a-z][a-z0-9-]*", path.read_text())} - {"$rw-"}
    known = {f"${name}" for name in theme.VARIABLES}
    assert named <= known | TEXTUAL
    for each in BUILTIN_THEMES.values():
        assert set(theme.stand_ins(each)) == theme.VARIABLES


def test_the_shipped_themes_bring_every_variable_as_a_color() -> None:
    shipped = palettes.available([palettes.shipped_folder()])
    assert {"runwatch-dark", "runwatch-light"} <= {each.name for each in shipped}
    for each in shipped:
        made = theme.to_theme(palettes.read_palette(each.path))
        assert made.variables.keys() == theme.VARIABLES
        for color in made.variables.values():
            Color.parse(color)
