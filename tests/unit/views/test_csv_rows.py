"""Tests of runwatch.views.csv_rows."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import metrics_samples as samples
from runwatch.fold.metrics import AttemptMetrics, Metrics, Run
from runwatch.views import csv_rows
from runwatch.views.facts import RecordedError

COMMON = ["run_id", "framework", "provider", "model"]


def _dicts(table: str, metrics: Metrics, errors: list[RecordedError] | None = None) -> list[dict[str, str]]:
    text = csv_rows.file_text(table, csv_rows.tables(metrics, errors=errors)[table])
    return list(csv.DictReader(io.StringIO(text, newline="")))


COLUMNS = """
runs: project_id, mode, status, start_time, end_time, duration_seconds, issues_processed, total_successes, total_errors,
    success_rate, input_tokens, output_tokens, total_tokens, estimated_cost_usd, exit_code
issues: issue_id, status, start_time, end_time, duration_seconds, complexity_score, agent_attempts, pipeline_attempts,
    debugging_cycles, total_errors, input_tokens, output_tokens, total_tokens, estimated_cost_usd, files_created,
    files_modified, lines_added, lines_deleted, commits, test_coverage, first_time_right
agents: issue_id, agent, attempt, start_time, end_time, duration_seconds, success, retries, tool_calls, total_tokens,
    error_message
pipelines: issue_id, pipeline_id, commit_sha, triggered_by, attempt, status, start_time, end_time, duration_seconds,
    queue_time, execution_time, failed_jobs, error_type
debugging_cycles: issue_id, agent, error_type, error_message, attempts, resolved, resolution_method, duration_seconds
errors: time, issue_id, step, agent, component, error_type, message
tool_usage: tool_name, call_count, success_count, failure_count, avg_duration_ms, total_duration_ms
"""
"""The table of metrics.md, "CSV"."""


def test_the_columns_are_exactly_those_of_the_specification() -> None:
    expected = dict(re.findall(r"^(\w+): (.*(?:\n    .*)*)", COLUMNS, re.MULTILINE))
    assert list(csv_rows.COLUMNS) == list(expected)
    for table, columns in expected.items():
        assert csv_rows.file_text(table, []) == ",".join([*COMMON, *re.findall(r"\w+", columns)]) + "\r\n"


def test_every_row_is_as_wide_as_its_table() -> None:
    tables = csv_rows.tables(samples.full())
    assert list(tables) == list(csv_rows.COLUMNS)
    for table, rows in tables.items():
        assert rows, table
        assert {len(row) for row in rows} == {len(csv_rows.COLUMNS[table])}, table


def test_the_row_of_a_run() -> None:
    (row,) = _dicts("runs", samples.full())
    assert row["run_id"] == "20261020-142345-abc123"
    assert (row["provider"], row["model"]) == ("openai", "gpt-4o")
    assert (row["issues_processed"], row["success_rate"], row["exit_code"]) == ("2", "50", "3")
    assert (row["input_tokens"], row["output_tokens"], row["total_tokens"]) == ("12000", "6000", "18000")
    assert (row["duration_seconds"], row["estimated_cost_usd"]) == ("761.5", "0.43")


def test_the_rows_of_issue_pipeline_cycle_tool_and_error() -> None:
    (issue,) = _dicts("issues", samples.full())
    assert (issue["issue_id"], issue["agent_attempts"], issue["first_time_right"]) == ("123", "3", "false")
    pipeline = _dicts("pipelines", samples.full())[0]
    assert (pipeline["queue_time"], pipeline["execution_time"], pipeline["failed_jobs"]) == ("12", "240", "unit;lint")
    (cycle,) = _dicts("debugging_cycles", samples.full())
    assert (cycle["resolved"], cycle["resolution_method"]) == ("true", "fixed the fixture")
    (tool,) = _dicts("tool_usage", samples.full())
    assert (tool["avg_duration_ms"], tool["total_duration_ms"]) == ("2500", "20000")
    error = _dicts("errors", samples.full())[0]
    assert (error["time"], error["step"], error["component"]) == (samples.AT, "2", "validator")


def test_attempts_and_errors_are_taken_as_given() -> None:
    metrics = samples.full()
    metrics.attempts = [AttemptMetrics(agent="coding", attempt=2, issue=7, duration_s=1.25, success=False, error="no")]
    (row,) = _dicts("agents", metrics)
    assert (row["agent"], row["attempt"], row["duration_seconds"], row["success"]) == ("coding", "2", "1.25", "false")
    assert row["error_message"] == "no"
    recorded = RecordedError(time=samples.AT, error_type="E", message="m", agent="coding")
    (error,) = _dicts("errors", samples.full(), errors=[recorded])
    assert (error["agent"], error["message"]) == ("coding", "m")


def test_what_has_not_ended_has_no_row_yet() -> None:
    metrics = samples.full()
    metrics.run.status = metrics.issues[0].status = metrics.pipelines[0].status = metrics.debugging[0].resolved = None
    tables = csv_rows.tables(metrics)
    numbers = [len(tables[table]) for table in ("runs", "issues", "pipelines", "debugging_cycles", "tool_usage")]
    assert numbers == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_is_neutralized(text: str) -> None:
    assert csv_rows.cell(text).startswith("'")


def test_where_semicolons_or_tabs_divide_no_part_of_a_cell_is_run_either() -> None:
    for text in ("unit;=1+1", "unit; +1", "a\t@x", "a;b;-1", "x\n=1+1"):
        shown = csv_rows.cell(text)
        assert not any(part.lstrip(" ").startswith(("=", "+", "-", "@")) for part in re.split("[;\t\n]", shown)), shown
        assert csv_rows.text([("1", shown, "x")]) == f'1,"{shown}",x\r\n'
    assert csv_rows.cell("unit;lint; 3-4") == "unit;lint; 3-4"


def test_numbers_are_not_neutralized_and_plain_text_stays_as_it_is() -> None:
    assert csv_rows.cell(-5) == "-5"
    assert csv_rows.cell(-0.5) == "-0.5"
    assert csv_rows.cell("a = b") == "a = b"
    assert csv_rows.cell(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (1234.567 * 1000, "1234567"),
        (0.000000000001, "0.000000000001"),
        (1e16, "10000000000000000"),
        (100.0, "100"),
        (-0.0, "0"),
        (66.67, "66.67"),
    ],
)
def test_numbers_are_written_stably_and_without_exponent(value: float, text: str) -> None:
    assert csv_rows.number(value) == text


def test_an_unknown_model_is_called_so() -> None:
    (row,) = _dicts("runs", Metrics(run=Run(run_id="r", framework="f", status="completed")))
    assert (row["provider"], row["model"], row["estimated_cost_usd"]) == ("unknown", "unknown", "")


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=[])), min_size=2, max_size=4), max_size=5))
def test_rows_of_any_text_survive_a_reader(rows: list[list[str]]) -> None:
    cells = [[csv_rows.cell(value) for value in row] for row in rows]
    text = csv_rows.text(cells)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == cells
    assert not text or text.endswith("\r\n")
    text.encode()  # a lone surrogate would raise


def test_a_huge_text_is_cut_to_what_a_cell_can_hold() -> None:
    assert len(csv_rows.cell("x" * 1_000_000)) == 32_000
