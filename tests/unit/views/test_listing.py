"""Tests of runwatch.views.listing."""

from __future__ import annotations

import pytest

import metrics_samples as samples
from runwatch.units import display_width
from runwatch.views import listing
from runwatch.views.facts import RunRow

ROWS = [
    RunRow(framework="baes", run_id="20261121-100000-abc123", live=True, start_time=samples.AT, duration_seconds=61.0),
    RunRow(
        framework="baes",
        run_id="20261020-142345-abc123",
        status="failed",
        start_time=samples.AT,
        duration_seconds=761.5,
        steps_done=2,
        steps_total=4,
        errors=1200,
        tokens=18_200,
        cost_usd=0.43,
        model="gpt-4o",
    ),
    RunRow(framework="x", run_id="r", status="completed"),
]


def test_the_table_is_aligned_and_absent_values_are_dashes() -> None:
    assert listing.table(ROWS).splitlines() == [
        "RUN                          STATUS     STARTED              DURATION  STEPS  ERRORS  TOKENS   COST  MODEL",
        "baes/20261121-100000-abc123  running    2026-10-20 14:23:45     1m01s      -       -       -      -  -",
        "baes/20261020-142345-abc123  failed     2026-10-20 14:23:45    12m41s    2/4   1,200   18.2k  $0.43  gpt-4o",
        "x/r                          completed  -                           -      -       -       -      -  -",
    ]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_the_table_fits_the_terminal_and_keeps_run_and_status(width: int) -> None:
    lines = listing.table(ROWS, width=width).splitlines()
    assert max(map(display_width, lines)) <= width
    assert lines[2].split()[:2] == [lines[2].split()[0], "failed"]
    assert lines[2].startswith("baes/20")


def test_no_runs_make_no_table() -> None:
    assert listing.table([]) == ""


def test_color_is_there_only_when_asked_for_and_moves_nothing() -> None:
    assert "\x1b" not in listing.table(ROWS, width=80)
    colored = listing.table(ROWS, color=True)
    assert "\x1b[31mfailed\x1b[0m     2026" in colored
    assert "\x1b[32mcompleted\x1b[0m  -" in colored


def test_hostile_names_stay_in_their_row() -> None:
    row = RunRow(framework=samples.HOSTILE, run_id=samples.HOSTILE, status=samples.HOSTILE, model=samples.HOSTILE)
    lines = listing.table([row], width=80).splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_json_has_the_names_of_the_fields() -> None:
    assert listing.json_rows(ROWS)[1]["duration_seconds"] == 761.5
