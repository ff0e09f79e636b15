"""A terminal of few rows or columns: the log keeps some lines, and what folds away can be brought up over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.driving import drive, make_run, watching


@pytest.mark.parametrize("size", [(120, 18), (120, 12), (100, 12), (80, 14), (80, 12), (40, 10)])
def test_the_log_keeps_some_lines_however_few_rows_there_are(tmp_path: Path, size: tuple[int, int]) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), size=size) as app:
            await app.sees("speaks in step 3")
            assert app.run.query_one("#log").size.height >= 4
            await app.press("slash", "a")
            await app.sees("adapter")

    drive(task())


def test_a_panel_that_is_folded_away_comes_up_over_the_log(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), size=(80, 12)) as app:
            await app.sees("speaks in step 3")
            for back in ("2", "escape", "f"):
                await app.press("2")
                await app.sees("gpt-4o-mini")
                assert "speaks in step 3" not in app.text()
                await app.press(back)
                await app.sees("speaks in step 3")
                assert app.app.focused is app.run.query_one("#log")

    drive(task())


def test_escape_folds_the_list_of_steps_away(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), size=(80, 24)) as app:
            await app.sees("speaks in step 3")
            await app.press("t")
            await app.sees("▶ 003")
            await app.press("escape")
            await app.sees_no("▶ 003")
            assert app.app.focused is app.run.query_one("#log")

    drive(task())
