"""Finding another run and looking at it; and a run that is read from its directory, with nothing held in the hand."""

from __future__ import annotations

import json
from pathlib import Path

from runwatch.journal.lock import Role, RunLock
from runwatch.tui.app import RunwatchApp
from runwatch.tui.screens.run import RunScreen
from runwatch.tui.state import Life
from tui.driving import Driven, drive, make_run, watching


def finished_run(run_dir: Path, status: str) -> Path:
    """Leave the tracked files of a run that ended."""
    run_dir.mkdir(parents=True)
    metadata = {"status": status, "start_time": "2026-10-19T09:00:00Z"}
    (run_dir / "metadata.json").write_text(json.dumps(metadata))
    run = {"run_id": run_dir.name, "framework": run_dir.parent.name, "status": status, "errors": 7}
    (run_dir / "metrics.json").write_text(json.dumps({"run": run, "steps": []}))
    return run_dir


def test_any_run_can_be_opened_from_the_list_and_the_first_one_comes_back(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path)
        other = finished_run(run_dir.with_name("20261019-090000-00000f"), "crashed")
        async with watching(run_dir) as app:
            await app.press("r")
            await app.sees(f"baes/{other.name}")
            row = next(row for row, text in enumerate(app.rows()) if other.name in text)
            await app.pilot.click(offset=(10, row))
            await app.until(lambda: isinstance(app.app.screen, RunScreen) and app.app.screen is not app.run)
            assert app.app.screen.run_dir == other
            await app.press("r")
            await app.sees("Runs")
            await app.press("escape")
            await app.until(lambda: isinstance(app.app.screen, RunScreen))

    drive(task())


def test_an_empty_runs_folder_says_how_to_record_one(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(tmp_path / "runs" / "baes" / "gone") as app:
            await app.press("r")
            await app.sees("No runs yet")
            await app.sees("`runwatch run -- CMD` records one")

    drive(task())


def test_a_run_is_read_from_its_directory_while_it_goes_on(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path, steps=1)
        lock = RunLock.of(run_dir / ".lock")
        assert lock.acquire(Role.OWNER)
        assert lock.acquire(Role.RECORDER)

        def emit(type_name: str, second: int, **fields: object) -> None:
            line = {"type": type_name, "ts": f"2026-10-20T14:23:{second:02d}.000000Z", **fields}
            with (run_dir / "events.jsonl").open("a") as journal:
                journal.write(json.dumps(line) + "\n")

        emit("run.started", 0, framework="baes", run_id=run_dir.name)
        emit("step.started", 1, step=1, name="schema")
        app = RunwatchApp(run_dir, mode="watch")
        async with app.run_test(size=(120, 40)) as pilot:
            driven = Driven(app, pilot, [])
            await driven.sees("▶ 001 schema")
            await driven.sees("speaks in step 1")
            emit("step.completed", 2, step=1, status="failed")
            emit("error", 3, message="it broke")
            await driven.sees("✗ 001 schema")
            await driven.sees("1 recorded error ")
            lock.release(Role.RECORDER)
            lock.release(Role.OWNER)
            await driven.until(lambda: app.own.life is Life.DEAD)
            await driven.sees("`runwatch recover` finalizes it")
        lock.close()

    drive(task())


def test_a_directory_that_holds_nothing_yet_opens_and_fills(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = tmp_path / "runs" / "sh" / "20261020-142345-abc123"
        run_dir.mkdir(parents=True)
        app = RunwatchApp(run_dir, mode="run")
        async with app.run_test(size=(80, 24)) as pilot:
            driven = Driven(app, pilot, [])
            await driven.sees("sh / 20261020-142345-abc123")
            line = '{"type":"run.started","ts":"2026-10-20T14:23:45Z","framework":"sh","run_id":"x"}\n'
            (run_dir / "events.jsonl").write_text(line)
            (run_dir / "logs").mkdir()
            (run_dir / "logs" / "stdout.log").write_text("hello from the command\n")
            await driven.sees("hello from the command")

    drive(task())
