"""A terminal of few rows or columns: the log keeps some lines, and what folds away can be brought up over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.fold import metrics as m
from tui.driving import drive, live, make_run, watching


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


def test_the_chosen_step_is_in_sight_wherever_the_list_comes_up(tmp_path: Path) -> None:
    async def task() -> None:
        many = live()
        many.metrics.steps = [m.StepMetrics(step=number, name="s", status="success") for number in range(1, 1102)]
        many.metrics.run.steps_planned, many.metrics.current_step = None, 1101
        (outside := make_run(tmp_path)).joinpath("logs/stdout.log").write_text("outside\n")
        async with watching(outside, many, size=(80, 24)) as app:
            await app.until(lambda: app.run.selected == 1101)
            await app.press("t")
            await app.sees("1101 s")
            await app.press("home")
            await app.sees("outside steps")
            await app.press("end", "escape")
            await app.sees_no("1100 s")
            await app.pilot.resize_terminal(120, 40)
            await app.sees("1101 s")
            await app.pilot.resize_terminal(120, 20)
            await app.sees_no("1090 s")
            await app.sees("1101 s")

    drive(task())


def test_a_row_that_is_cut_says_so_beside_a_scroll_bar(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), size=(80, 20)) as app:
            await app.sees("speaks in step 3")
            await app.press("t", "7")
            await app.sees("feature/orders-api")
            cut = next(row for row in app.rows() if "created" in row)
            assert "… " in cut

    drive(task())
