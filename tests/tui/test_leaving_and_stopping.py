"""What happens when a person leaves, or wants the run to end."""

from __future__ import annotations

from pathlib import Path

from runwatch.tui.control import Outcome
from runwatch.tui.state import Ending, Life, Snapshot
from tui import sample
from tui.driving import Control, drive, live, make_run, watching


def ended() -> Snapshot:
    """Return a run that has ended and been finalized."""
    metrics = sample.metrics()
    metrics.run.status = "completed"
    return live(metrics=metrics, life=Life.ENDED, ending=Ending())


def test_q_on_a_live_run_asks_and_escape_stays(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), control=Control()) as app:
            await app.press("q")
            await app.sees("The run goes on")
            for choice in ("leave it running", "stop it", "stay"):
                assert choice in app.text()
            await app.press("escape")
            await app.sees_no("The run goes on")
            assert app.app.return_value is None

    drive(task())


def test_leaving_it_running_tells_the_caller_and_stops_nothing(tmp_path: Path) -> None:
    async def task() -> None:
        control = Control()
        async with watching(make_run(tmp_path), control=control) as app:
            await app.press("q", "q")
            await app.until(lambda: app.app.return_value is not None)
            assert app.app.return_value == Outcome(left_running=True)
            assert control.asked == ["detach"]

    drive(task())


def test_stopping_from_the_question_asks_the_owner_once_and_stays_to_watch(tmp_path: Path) -> None:
    async def task() -> None:
        control = Control()
        async with watching(make_run(tmp_path), control=control) as app:
            await app.press("q")
            await app.sees("stop it")
            await app.press("down", "enter")
            await app.until(lambda: control.asked)
            assert control.asked == ["SIGINT"]
            await app.sees("stopping")
            await app.show(live(read_ratio=0.9))
            await app.sees("stopping")
            assert app.app.return_value is None

    drive(task())


def test_s_asks_and_a_click_on_the_choice_stops(tmp_path: Path) -> None:
    async def task() -> None:
        control = Control()
        async with watching(make_run(tmp_path), control=control) as app:
            await app.press("s")
            await app.sees("Stop the run?")
            row = next(row for row, text in enumerate(app.rows()) if "stop it" in text)
            await app.pilot.click(offset=(app.rows()[row].index("stop it"), row))
            await app.until(lambda: control.asked == ["SIGINT"])

    drive(task())


def test_ctrl_c_asks_again_within_two_seconds_stops_and_then_grows_firmer(tmp_path: Path) -> None:
    async def task() -> None:
        control = Control()
        async with watching(make_run(tmp_path), control=control) as app:
            await app.press("ctrl+c")
            await app.sees("Ctrl-C again within 2 s")
            assert control.asked == []
            await app.press("ctrl+c")
            await app.until(lambda: control.asked == ["SIGINT"])
            await app.sees_no("Ctrl-C again within 2 s")
            await app.press("ctrl+c")
            await app.until(lambda: control.asked == ["SIGINT", "SIGTERM"])
            await app.press("ctrl+c")
            await app.until(lambda: control.asked == ["SIGINT", "SIGTERM", "SIGKILL"])

    drive(task())


def test_a_second_ctrl_c_after_two_seconds_only_asks_again(tmp_path: Path) -> None:
    async def task() -> None:
        control = Control()
        async with watching(make_run(tmp_path), control=control) as app:
            await app.press("ctrl+c")
            await app.sees("Ctrl-C again within 2 s")
            app.app._interrupted_at -= 2.5
            await app.press("ctrl+c")
            await app.sees("Ctrl-C again within 2 s")
            assert control.asked == []

    drive(task())


def test_an_owner_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), control=Control(unreachable=True)) as app:
            await app.press("s", "s")
            await app.sees("the supervisor does not")

    drive(task())


def test_who_only_watches_without_a_control_learns_which_command_stops_it(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), mode="watch") as app:
            await app.press("s")
            await app.sees("runwatch stop")
            await app.press("q")
            await app.sees("The run goes on")
            assert "stop it" not in app.text()

    drive(task())


def test_q_and_ctrl_c_on_a_run_that_has_ended_close_at_once(tmp_path: Path) -> None:
    async def task() -> None:
        for key in ("q", "ctrl+c", "ctrl+q"):
            control = Control()
            async with watching(make_run(tmp_path / key), ended(), mode="watch", control=control) as app:
                await app.press(key)
                await app.until(lambda app=app: app.app.return_value is not None)
                assert app.app.return_value == Outcome(finalized=True)
                assert control.asked == []

    drive(task())


def test_stopping_is_not_offered_for_a_run_that_has_ended(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), ended(), mode="watch", control=Control()) as app:
            await app.sees("✓ completed")
            assert " stop" not in app.rows()[-1]

    drive(task())


def test_the_command_learns_the_new_size_of_the_terminal(tmp_path: Path) -> None:
    async def task() -> None:
        control = Control()
        async with watching(make_run(tmp_path), control=control) as app:
            await app.pilot.resize_terminal(100, 30)
            await app.until(lambda: "30x100" in control.asked)

    drive(task())
