"""Nothing that was said or asked about a live run stands over the one that has ended; nothing moves in its header."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runwatch.fold import metrics as m
from runwatch.tui.panels import ending, header
from runwatch.tui.state import Archive, Commit, Ending, Life, Outcome, Snapshot, Stage
from tui import sample
from tui.driving import Control, Driven, drive, live, make_run, watching
from tui.test_the_end_of_a_run import finalized, finalizing


@pytest.mark.parametrize("end", [finalizing(2), finalized()], ids=["finalizing", "ended"])
def test_what_was_told_about_stopping_is_gone_once_the_run_has_ended(tmp_path: Path, end: Snapshot) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), control=Control()) as app:
            await app.press("ctrl+c", "ctrl+c")
            await app.sees("Ctrl-C again sends")
            await app.show(end)
            await app.sees_no("Ctrl-C again sends")

    drive(task())


def test_the_question_whether_to_stop_goes_with_the_run(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path), control=Control()) as app:
            await app.press("s")
            await app.sees("Stop the run?")
            await app.show(finalized())
            await app.sees("EXPERIMENT RUN SUMMARY")
            await app.sees_no("Stop the run?")

    drive(task())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("framework", ["baes", "a-framework-with-a-name"])
def test_the_run_id_is_cut_the_same_whatever_the_state(width: int, framework: str) -> None:
    shown = set()
    for life, status in (
        (Life.OPENING, None),
        (Life.RUNNING, None),
        (Life.STOPPING, None),
        (Life.FINALIZING, "failed"),
        (Life.ENDED, "completed"),
        (Life.ENDED, "failed"),
        (Life.ENDED, "interrupted"),
    ):
        metrics = sample.metrics()
        metrics.run.status = status
        row = header.content(header.Heading(metrics, life, framework, sample.RUN_ID), width).plain
        assert len(row) == width
        shown.add(row[: next(index for index, char in enumerate(row) if char in "○●◐✓✗■")])
    assert len(shown) == 1


def test_a_long_name_of_a_model_is_cut_in_its_middle() -> None:
    metrics = sample.metrics()
    metrics.run.llm_configuration = m.Llm(provider="x", model="claude-sonnet-4-20250514-thinking-preview")
    row = header.content(header.Heading(metrics, Life.RUNNING, "baes", sample.RUN_ID), 120).plain
    assert "claude" in row
    assert "…" in row
    assert "eview" in row


def test_a_price_that_nobody_asked_for_is_a_dash() -> None:
    bare = m.Metrics(run=m.Run(start_time=sample.START))
    row = header.content(header.Heading(bare, Life.RUNNING, "sh", sample.RUN_ID), 120).plain
    assert "$" not in row
    assert " – " in row


def test_archive_commit_and_remedy_are_whole_on_a_narrow_terminal() -> None:
    failed = Stage(
        error="the branch is protected and the remote turned the commit away twice", remedy="runwatch finalize x1"
    )
    left_behind = Ending(
        Outcome(status="failed", exit_code=3, reason="a reason that goes on for rather longer than one row of it " * 2),
        {"commit": failed},
        Archive("an-archive-with-a-rather-long-name-20261020-142345.tar.gz", 12_345_678, "ab12" * 16, 48),
        Commit("1a2b3c4d5e6f", "a-branch-with-a-name/" * 4),
    )
    rows = [each.content for each in ending.lines(replace(live(), ending=left_behind), 72, brief=True)]
    assert all(row.cell_length <= 72 for row in rows)
    told = " ".join(" ".join(row.plain for row in rows).split())
    for text in ("sha256 ab12ab12ab12", "48 members", "1a2b3c4d5", "runwatch finalize x1", "one row of it"):
        assert text in told


def test_keys_and_palette_of_a_run_that_ended_offer_only_what_is_true(tmp_path: Path) -> None:
    async def task() -> None:
        async with watching(make_run(tmp_path)) as app:
            assert "Stop the run" in offered(app)
            await app.show(finalized())
            await app.sees("EXPERIMENT RUN SUMMARY")
            assert offered(app).isdisjoint({"Stop the run", "Choose", "Maximize"})
            await app.press("question_mark")
            await app.sees("esc closes")
            assert "Stop the run" not in app.text()

    drive(task())


def offered(app: Driven) -> set[str]:
    """What the palette offers."""
    return {each.title for each in app.app.get_system_commands(app.app.screen)}
