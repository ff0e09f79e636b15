"""What a person sees when a run ends: the finalizer's stages as they happen, then the summary; and what is amiss."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.tui.state import STAGES, Archive, Commit, Ending, Life, Outcome, Snapshot, Stage
from runwatch.tui.widgets.log_pane import LogPane
from tui import sample
from tui.driving import drive, live, make_run, watching

OUTCOME = Outcome(status="failed", exit_code=3, reason="the limit of $5.00 was reached")


def finalizing(done: int) -> Snapshot:
    """Return a run whose first so many stages are done."""
    metrics = sample.metrics()
    metrics.run.status = "failed" if done > 3 else None
    stages = {name: Stage(done=True) for name in STAGES[:done]}
    return live(metrics=metrics, life=Life.FINALIZING, ending=Ending(outcome=OUTCOME, stages=stages))


def finalized(*, commit: Stage | None = None) -> Snapshot:
    """Return a run that has been finalized."""
    metrics = sample.metrics()
    metrics.run.status, metrics.run.exit_code = "failed", 3
    stages = {name: Stage(done=True) for name in STAGES}
    made = Commit("1a2b3c4d5e6f", "main")
    if commit is not None:
        stages["commit"], made = commit, None
    ending = Ending(OUTCOME, stages, Archive("run.tar.gz", 12_345_678, "ab12" * 16, 48), made)
    lines = ["=" * 80, "EXPERIMENT RUN SUMMARY", "=" * 80, *(f"line {number}" for number in range(100))]
    return live(metrics=metrics, life=Life.ENDED, ending=ending, summary="\n".join(lines))


def test_the_stages_come_up_by_themselves_and_then_the_summary(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("● running")
            await app.show(finalizing(2))
            await app.sees("2/12")
            for text in ("✗ failed", "exit code 3", "the limit of $5.00 was reached", "✓ price model calls"):
                assert text in app.text()
            assert "▶ seal the journal" in app.text()
            assert "once the finalizer has written it" in app.text()
            await app.show(finalizing(7))
            await app.sees("58%")
            await app.show(finalized())
            await app.sees("100%")
            for text in ("run.tar.gz", "11.8 MiB", "48 members", "1a2b3c4d5 on main", "EXPERIMENT RUN SUMMARY"):
                assert text in app.text()

    drive(task())


def test_nothing_in_the_frame_moves_between_the_first_stage_and_the_last(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.show(finalizing(1))
            await app.sees("logs_summary.txt")
            before = next(row for row, text in enumerate(app.rows()) if "logs_summary.txt" in text)
            await app.show(finalized())
            await app.sees("100%")
            assert before == next(row for row, text in enumerate(app.rows()) if "logs_summary.txt" in text)

    drive(task())


def test_the_summary_scrolls_and_escape_goes_back_to_the_logs(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.show(finalized())
            await app.sees("line 1")
            await app.press("end")
            await app.sees("line 99")
            await app.press("escape")
            await app.sees("step 003 · generate API")
            await app.press("o")
            await app.sees("logs_summary.txt")

    drive(task())


def test_a_stage_that_failed_is_told_with_its_reason_and_remedy(tmp_path: Path) -> None:
    async def task() -> None:
        failed = Stage(error="a merge is under way", remedy="runwatch finalize 20261020")
        async with watching(make_run(tmp_path)) as app:
            await app.show(finalized(commit=failed))
            await app.sees("commit: a merge is under way   runwatch finalize 20261020")
            assert "✗ commit" in app.text()

    drive(task())


def test_a_run_that_ended_before_its_app_was_up_shows_its_end(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), finalized(), mode="run") as app:
            await app.sees("EXPERIMENT RUN SUMMARY")

    drive(task())


def test_a_finished_run_that_is_watched_opens_on_its_logs(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), finalized(), mode="watch") as app:
            await app.sees("step 003 · generate API")
            assert "EXPERIMENT RUN SUMMARY" not in app.text()
            assert "o summary" in app.rows()[-1]

    drive(task())


def test_a_run_that_nobody_holds_is_shown_as_crashed_with_the_remedy(tmp_path: Path) -> None:
    async def task() -> None:
        for size in ((120, 40), (80, 24)):
            async with watching(make_run(tmp_path / str(size[0])), live(life=Life.DEAD), size=size) as app:
                await app.sees("✗ crashed")
                assert "`runwatch recover` finalizes it" in app.rows()[0]

    drive(task())


def test_a_stalled_a_missing_and_a_waiting_recorder_are_told_apart(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            for life, text in (
                (Life.STALLED, "recorder stalled"),
                (Life.UNFOLDED, "no recorder"),
                (Life.WAITING, "waiting for a person"),
                (Life.UNFINISHED, "`runwatch finalize` completes it"),
            ):
                await app.show(live(life=life))
                await app.sees(text)
            await app.show(live(life=Life.STALLED, stalled_s=12.4))
            await app.sees("stalled for 12s")
            assert "the command goes on" in app.rows()[0]

    drive(task())


def test_lines_that_came_behind_the_summary_are_there_when_the_logs_come_back(tmp_path: Path) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path)
        log = run_dir / "logs" / "step_003" / "adapter.log"
        log.write_text("".join(f"line {number}\n" for number in range(100)))
        async with watching(run_dir) as app:
            await app.sees("line 99")
            await app.show(finalized())
            await app.sees("EXPERIMENT RUN SUMMARY")
            with log.open("a") as more:
                more.write("the last words\n")
            view = app.run.query_one(LogPane).view
            assert view is not None
            await app.until(lambda: view._canvas.frame is not None and view._canvas.frame.row_count >= 103)
            await app.press("o")
            await app.sees("the last words")

    drive(task())


def test_the_end_waits_until_a_search_was_typed(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            await app.sees("speaks in step 3")
            await app.press("slash", *"re")
            await app.show(finalized())
            await app.press(*"quest")
            await app.sees("request")
            await app.press("escape")
            await app.sees("EXPERIMENT RUN SUMMARY")

    drive(task())


@pytest.mark.parametrize(
    ("key", "answer", "hit"), [("slash", "line 7\r", "line 7"), ("T", "2026-11-21T01:20Z\r", "line 0")]
)
def test_what_was_asked_for_while_the_run_ended_is_shown(tmp_path: Path, key: str, answer: str, hit: str) -> None:
    async def task() -> None:
        run_dir = make_run(tmp_path)
        log = run_dir / "logs" / "step_003" / "adapter.log"
        log.write_text(
            "".join(f'{{"ts": {1_795_224_000 + number}, "msg": "line {number}"}}\n' for number in range(100))
        )
        async with watching(run_dir) as app:
            await app.sees("line 99")
            await app.press(key, *answer[:-2])
            await app.show(finalized())
            await app.press(answer[-2], "enter")
            await app.sees("o shows its summary")
            view = app.run.query_one(LogPane).view
            assert view is not None
            await app.until(lambda: not view.following)
            await app.sees(hit)
            assert not app.run.shows_end
            await app.press("o")
            await app.sees("EXPERIMENT RUN SUMMARY")

    drive(task())
