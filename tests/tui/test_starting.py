"""What the start of the app does once and not twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

from runwatch.settings import Settings
from runwatch.tui.app import RunwatchApp
from tui.driving import drive, make_run, watching


def test_a_dark_theme_is_worn_from_the_start_without_parsing_the_sheets_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew: list[Stylesheet] = []
    reparse = Stylesheet.reparse
    monkeypatch.setattr(Stylesheet, "reparse", lambda sheet: (anew.append(sheet), reparse(sheet))[1])

    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            assert anew == []
            _worn_as_if_put_on_later(app.app)

    drive(task())


def test_a_light_theme_is_worn_from_the_start(tmp_path: Path) -> None:
    async def task() -> None:
        settings = Settings(tui=Settings().tui.__class__(theme="runwatch-light"))
        async with watching(make_run(tmp_path), settings=settings) as app:
            assert app.app.theme == "runwatch-light"
            _worn_as_if_put_on_later(app.app)

    drive(task())


def _worn_as_if_put_on_later(app: RunwatchApp) -> None:
    worn = app.theme
    classes, variables = set(app.classes), app.get_css_variables()
    background = app.screen.styles.background
    assert app.dress("textual-dark") is None
    assert app.dress(worn) is None
    assert (set(app.classes), app.get_css_variables()) == (classes, variables)
    app.refresh_css(animate=False)
    assert app.screen.styles.background == background
