"""What the app says by itself: alerts as they come, and never more toasts than can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from runwatch.errors import SettingsError
from runwatch.fold import metrics as m
from runwatch.tui.state import Snapshot
from tui import sample
from tui.driving import Driven, drive, live, make_run, watching

HOSTILE = "[/nope]\x1b[31m\u202emax_cost_usd: 0.52 (threshold 0.5)"


def alerted(*messages: str, kind: str = "alert.raised") -> Snapshot:
    """Return the sample's run with so many alerts."""
    metrics = sample.metrics()
    metrics.notices += [m.Notice(kind=kind, message=message, rule="r") for message in messages]
    metrics.run = msgspec.structs.replace(metrics.run, alerts=len(messages))
    return replace(live(), metrics=metrics)


def toasts(app: Driven) -> list[str]:
    """Return what the toasts say, oldest first."""
    return [each.message for each in app.app._notifications]


def test_an_alert_that_comes_while_somebody_looks_is_told_and_those_before_are_not(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), alerted("old: 1"), mode="watch") as app:
            await app.show(alerted("old: 1", HOSTILE))
            await app.sees("max_cost_usd: 0.52")
            await app.sees("Alert")
            assert len(toasts(app)) == 1
            assert not any(char in app.text() for char in "\x1b\u202e")
            await app.show(alerted("old: 1", HOSTILE, "max_tokens: 9", kind="limit.reached"))
            await app.sees("Limit reached")
            await app.show(alerted(*(f"rule {number}" for number in range(40))))
            await app.sees("rule 39")
            assert toasts(app) == ["max_tokens: 9", "rule 37", "rule 38", "rule 39"]

    drive(task())


def test_an_alert_that_came_before_the_first_look_at_a_run_that_the_app_was_opened_with_is_told(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), alerted("early: 1"), mode="run") as app:
            await app.sees("early: 1")
            assert toasts(app) == ["early: 1"]

    drive(task())


def test_what_is_said_again_replaces_what_was_said_and_errors_outlast_remarks(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("speaks in step 3")
            for _ in range(5):
                await app.press("y")
            await app.until(lambda: toasts(app) == ["Line copied."])
            app.app.notify("broken", severity="error", timeout=60)
            for number in range(9):
                app.app.notify(f"remark {number}", timeout=60)
            await app.until(lambda: "remark 8" in toasts(app))
            assert sorted(toasts(app)) == ["broken", "remark 6", "remark 7", "remark 8"]

    drive(task())


def test_a_search_that_goes_round_and_round_says_so_once(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path)
        async with watching(run_dir) as app:
            await app.sees("speaks in step 3")
            await app.press("slash", *"adapter", "enter")
            await app.until(lambda: app.run.query("LogSearchBar"))
            for _ in range(6):
                await app.press("n")
            await app.until(lambda: toasts(app) == ["The search went on from the other end."])

    drive(task())


def test_a_chosen_theme_is_told_with_the_file_that_keeps_it_or_why_none_does(tmp_path: Path) -> None:
    def remember(name: str) -> str:
        if name == "runwatch-dark":
            raise SettingsError("runwatch.toml: cannot be changed.")
        return "runwatch.toml, line 3"

    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            app.app._remember_theme = remember
            app.app._wear("runwatch-light")
            await app.until(lambda: "runwatch-light is kept in runwatch.toml, line 3." in toasts(app))
            app.app._wear("runwatch-dark")
            await app.until(lambda: "runwatch.toml: cannot be changed." in toasts(app))

    drive(task())
