"""The seven CSV tables: their columns, their rows, their text.

Must not open a file or compute a metric. Source: metrics.md, "CSV"; RFC 4180.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from runwatch.fold.metrics import AttemptMetrics, CallMetrics, DebuggingCycle, IssueMetrics, Metrics, PipelineMetrics
from runwatch.views.facts import RecordedError
from runwatch.visible import visible

Cell = str | int | float | bool | None
Row = tuple[str, ...]

_COMMON = ("run_id", "framework", "provider", "model")

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        table: (*_COMMON, *columns.split())
        for table, columns in {
            "runs": "project_id mode status start_time end_time duration_seconds issues_processed total_successes "
            "total_errors success_rate input_tokens output_tokens total_tokens estimated_cost_usd exit_code",
            "issues": "issue_id status start_time end_time duration_seconds complexity_score agent_attempts "
            "pipeline_attempts debugging_cycles total_errors input_tokens output_tokens total_tokens "
            "estimated_cost_usd files_created files_modified lines_added lines_deleted commits test_coverage "
            "first_time_right",
            "agents": "issue_id agent attempt start_time end_time duration_seconds success retries tool_calls "
            "total_tokens error_message",
            "pipelines": "issue_id pipeline_id commit_sha triggered_by attempt status start_time end_time "
            "duration_seconds queue_time execution_time failed_jobs error_type",
            "debugging_cycles": "issue_id agent error_type error_message attempts resolved resolution_method "
            "duration_seconds",
            "errors": "time issue_id step agent component error_type message",
            "tool_usage": "tool_name call_count success_count failure_count avg_duration_ms total_duration_ms",
        }.items()
    }
)
"""Table to its columns, in order."""

_MOST_CHARS = 32_000  # a cell of the usual spreadsheets holds 32,767
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_INNER_FORMULA = re.compile(r"([;\t\n] *)(?=[=+\-@＝＋－＠])")
_QUOTE = '"'
_NEEDS_QUOTES = re.compile(r'["\r\n;\t]')


def tables(metrics: Metrics, *, errors: Iterable[RecordedError] | None = None) -> dict[str, list[Row]]:
    """Return the rows of every table for what has ended by now; live and at the end it is the same row.

    ``errors`` None means one row for each group of equal errors, the first of it: all that the metrics hold.
    """
    entities: dict[str, Sequence[Any]] = {
        **ended(metrics),
        "errors": list(_first_errors(metrics) if errors is None else errors),
    }
    return {table: rows_of(table, metrics, entities[table]) for table in COLUMNS}


def ended(metrics: Metrics) -> dict[str, Sequence[Any]]:
    """Return what each table but that of the errors has a row for, in order."""
    is_over = metrics.run.status is not None
    return {
        "runs": [metrics] if is_over else [],
        "issues": [issue for issue in metrics.issues if issue.status is not None],
        "agents": metrics.attempts,
        "pipelines": [pipeline for pipeline in metrics.pipelines if pipeline.status is not None],
        "debugging_cycles": [cycle for cycle in metrics.debugging if cycle.resolved is not None],
        "tool_usage": metrics.tools if is_over else [],
    }


def rows_of(table: str, metrics: Metrics, entities: Iterable[Any]) -> list[Row]:
    """Return the rows of what ``ended`` named for a table."""
    shared, make = common(metrics), _MAKERS[table]
    return [(*shared, *map(cell, make(entity))) for entity in entities]


def text(rows: Iterable[Sequence[str]]) -> str:
    """Return finished rows as RFC 4180 text: CRLF at each end of a row, quotes where they are needed.

    Spreadsheets divide at semicolons and tabs too, as their settings have it: cells with these are quoted as well.
    """
    return "".join(map(_line, rows))


def file_text(table: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a whole file: the header, then the rows."""
    return text([COLUMNS[table], *rows])


def cell(value: Cell) -> str:
    """Return one cell: None is empty, numbers without an exponent, text that a spreadsheet would run with ``'`` before.

    Where a user's settings divide at semicolons or tabs alone, what follows one, or a line feed, would be run as well.
    **Source** of the characters: OWASP, "CSV Injection".
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value)
    shown = "\n".join(visible(line) for line in value[:_MOST_CHARS].replace("\r\n", "\n").split("\n"))
    shown = _INNER_FORMULA.sub(r"\1'", shown)
    return "'" + shown if shown.lstrip(" ").startswith(_FORMULA) else shown


def _line(row: Sequence[str]) -> str:
    line = ",".join(row)
    if line.count(",") == len(row) - 1 and not _NEEDS_QUOTES.search(line):
        return line + "\r\n"  # most rows
    return ",".join(f'"{each.replace(_QUOTE, _QUOTE * 2)}"' if _is_quoted(each) else each for each in row) + "\r\n"


def _is_quoted(shown: str) -> bool:
    return "," in shown or _NEEDS_QUOTES.search(shown) is not None


def number(value: float) -> str:
    """Return a float in 15 significant digits, without exponent or trailing zeros: stable, and exact for money."""
    return f"{Decimal(f'{value:.15g}').normalize() + 0:f}"


def common(metrics: Metrics) -> Row:
    """Return what every row of the run begins with."""
    run = metrics.run
    llm = run.llm_configuration
    return tuple(map(cell, (run.run_id, run.framework, llm.provider or "unknown", llm.model or "unknown")))


def _run(metrics: Metrics) -> list[Cell]:
    run = metrics.run
    return [
        run.project_id,
        run.mode,
        run.status,
        run.start_time,
        run.end_time,
        run.duration_seconds,
        len(run.issues_processed),
        run.total_successes,
        run.total_errors,
        run.success_rate,
        run.tokens.prompt,
        run.tokens.completion,
        run.tokens.total,
        run.cost_usd,
        run.exit_code,
    ]


def _issue(issue: IssueMetrics) -> list[Cell]:
    code = issue.code
    changes: list[Cell] = [None] * 5
    if code is not None:
        changes = [code.files_created, code.files_modified, code.lines_added, code.lines_deleted, code.commits]
    return [
        issue.issue,
        issue.status,
        issue.start_time,
        issue.end_time,
        issue.duration_s,
        issue.complexity_score,
        sum(agent.attempts for agent in issue.agents),
        issue.pipeline_totals.attempts,
        issue.debugging_totals.cycles,
        issue.total_errors,
        issue.tokens.prompt,
        issue.tokens.completion,
        issue.tokens.total,
        issue.cost_usd,
        *changes,
        issue.test_coverage,
        issue.first_time_right,
    ]


def _attempt(attempt: AttemptMetrics) -> list[Cell]:
    return [
        attempt.issue,
        attempt.agent,
        attempt.attempt,
        attempt.start_time,
        attempt.end_time,
        attempt.duration_s,
        attempt.success,
        attempt.retries,
        attempt.tool_calls,
        attempt.total_tokens,
        attempt.error,
    ]


def _pipeline(pipeline: PipelineMetrics) -> list[Cell]:
    return [
        pipeline.issue,
        pipeline.pipeline_id,
        pipeline.commit_sha,
        pipeline.triggered_by,
        pipeline.attempt,
        pipeline.status,
        pipeline.start_time,
        pipeline.end_time,
        pipeline.duration_s,
        pipeline.queued_s,
        pipeline.duration_s,
        ";".join(pipeline.failed_jobs),
        pipeline.error_type,
    ]


def _cycle(cycle: DebuggingCycle) -> list[Cell]:
    return [
        cycle.issue,
        cycle.agent,
        cycle.error_type,
        cycle.error_message,
        cycle.attempts,
        cycle.resolved,
        cycle.method,
        cycle.duration_s,
    ]


def _first_errors(metrics: Metrics) -> list[RecordedError]:
    return [
        RecordedError(
            time=group.first_time,
            error_type=group.error_type,
            message=group.message,
            issue=group.issue,
            step=group.step,
            component=group.component,
        )
        for group in metrics.errors
    ]


def _error(error: RecordedError) -> list[Cell]:
    return [error.time, error.issue, error.step, error.agent, error.component, error.error_type, error.message]


def _tool(tool: CallMetrics) -> list[Cell]:
    return [
        tool.name,
        tool.calls,
        tool.successes,
        tool.failures,
        None if tool.durations.mean_s is None else tool.durations.mean_s * 1000,
        tool.durations.total_s * 1000,
    ]


_MAKERS: dict[str, Callable[[Any], list[Cell]]] = {
    "runs": _run,
    "issues": _issue,
    "agents": _attempt,
    "pipelines": _pipeline,
    "debugging_cycles": _cycle,
    "errors": _error,
    "tool_usage": _tool,
}
