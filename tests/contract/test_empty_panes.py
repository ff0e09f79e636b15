"""What an empty pane says would fill it: every name in it is one that somebody can use."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import runwatch
import runwatch.tui
from runwatch.cli.main import COMMANDS
from runwatch.events.codec import TYPES
from runwatch.tui.panels import pipelines
from runwatch.tui.panels.deck import PANELS
from runwatch.tui.widgets.lines_view import LinesView


def sentences() -> list[str]:
    """Return what each empty pane says."""
    found = [f"{what}: {how}" for what, how in (panel.empty for panel in PANELS)] + [pipelines._NONE]
    for module in pkgutil.walk_packages([str(Path(runwatch.tui.__file__).parent)], "runwatch.tui."):
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(each, LinesView) and each.__module__ == module.name and "EMPTY" in vars(each):
                found.append(": ".join(each.EMPTY))
    return found


def unknown(sentence: str) -> list[str]:
    """Return the names in a sentence that nothing has."""
    wrong = []
    for path in re.findall(r"([\w.]+)\(\)", sentence):
        found: object = runwatch
        for name in path.removeprefix("runwatch.").split("."):
            found = getattr(found, name, None)
        if not callable(found):
            wrong.append(path)
    for command in re.findall(r"`runwatch (\w+)", sentence):
        if command not in COMMANDS:
            wrong.append(command)
    for event in re.findall(r"(?<![\w.])[a-z_]+\.[a-z_]+(?![\w.]*\()", sentence):
        if event not in TYPES:
            wrong.append(event)
    return wrong


@pytest.mark.parametrize("sentence", sentences())
def test_every_call_command_and_event_that_an_empty_pane_names_is_there(sentence: str) -> None:
    assert unknown(sentence) == []


def test_a_name_that_is_not_there_is_found() -> None:
    said = "run.tool() and run.service(), `runwatch emmit agent.begun`, llm_metrics.track(), tool(), `runwatch ls`"
    assert unknown(said) == ["run.tool", "run.service", "llm_metrics.track", "emmit", "agent.begun"]
