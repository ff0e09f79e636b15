"""Which step is followed: a person who looked at an older one gets back, and is never told that it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.tui.state import Life
from tui.driving import drive, live, make_run, watching
from tui.test_the_end_of_a_run import finalized


@pytest.mark.parametrize("key", ["f", "end", "G"])
def test_the_end_of_an_older_step_leads_to_the_newest(tmp_path: Path, key: str) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path, steps=4)) as app:
            await app.sees("● following")
            await app.press("left_square_bracket", "left_square_bracket")
            await app.sees("speaks in step 1")
            await app.sees("step ended · 3 lines")
            assert "following" not in app.text()
            newer = live()
            newer.metrics.steps[2].status, newer.metrics.current_step = "success", 4
            newer.metrics.steps.append(type(newer.metrics.steps[2])(step=4, name="tests"))
            await app.show(newer)
            assert "speaks in step 1" in app.text()
            await app.press(key)
            await app.sees("step 004 · tests")
            await app.sees("speaks in step 4")
            await app.sees("● following")

    drive(task())


def test_the_end_of_a_run_that_is_over_is_not_followed(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), finalized(), mode="watch") as app:
            await app.sees("run ended · 3 lines")
            await app.press("left_square_bracket", "end", "f")
            await app.sees("speaks in step 2")
            await app.show(live(life=Life.DEAD))
            await app.sees("run ended")

    drive(task())
