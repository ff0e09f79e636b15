"""The list of steps: a run that ended without any is one."""

from __future__ import annotations

import pytest

from runwatch.fold.metrics import Metrics, Run, StepMetrics
from runwatch.tui.panels import steps

WHOLE = Metrics(run=Run(steps_planned=6), whole=StepMetrics(step=1, status="failed", duration_s=45))


def test_a_run_that_ended_without_steps_is_one_step_whose_logs_are_those_outside_steps() -> None:
    (entry,) = steps.entries(WHOLE, outside=True)
    assert entry.step is None
    row = steps.lines([entry], 30)[0].content.plain
    assert row.startswith("✗ 001 whole run")
    assert row.endswith("   45s")
    assert len(row) == 30


def test_the_tally_and_the_strip_know_the_whole_run_as_one_step() -> None:
    assert steps.tally(WHOLE) == "1"
    assert not steps.progress(WHOLE, 30)
    assert "✗   001 whole run  45s" in steps.strip(WHOLE, None, 78).plain


def test_before_its_end_a_run_without_steps_has_none() -> None:
    assert steps.entries(Metrics(), outside=False) == []
    assert "no steps yet" in steps.strip(Metrics(), None, 78).plain
    assert steps.tally(Metrics()) == ""


@pytest.mark.parametrize("log_steps", [(1,), (1, 2)])
def test_folders_of_steps_are_listed_though_the_journal_knows_no_step(log_steps: tuple[int, ...]) -> None:
    assert [entry.step for entry in steps.entries(WHOLE, outside=False, log_steps=log_steps)][: len(log_steps)] == list(
        log_steps
    )


def test_names_that_differ_in_the_middle_alone_can_be_told_apart() -> None:
    names = [f"stage number {number} with a rather long name" for number in range(1, 13)]
    listed = [StepMetrics(step=number, name=name, status="success") for number, name in enumerate(names, 1)]
    listed.append(StepMetrics(step=1000, name="short", status="success"))
    rows = steps.lines(steps.entries(Metrics(steps=listed), outside=True), 30)
    shown = [row.content.plain for row in rows]
    assert shown[0].split() == ["outside", "steps"]
    assert all(f"…{number}…" in row for number, row in enumerate(shown[1:13], 1)), shown
    assert shown[13].startswith("✓ 1000 short ")
    assert {len(row) for row in shown} == {30}
    assert [row.whole for row in rows[1:13]] == names
