"""Secrets out of the metrics, flush after flush."""

from __future__ import annotations

from typing import Any

import msgspec

import metrics_samples as samples
from journals import Journal
from runwatch.finalize.redacted_metrics import RedactedMetrics
from runwatch.finalize.rows_written import RowsWritten
from runwatch.fold import Fold
from runwatch.fold.ended import AttemptRows
from runwatch.fold.metrics import Metrics
from runwatch.redact import Redactor
from runwatch.views import csv_rows, metrics_json

SECRET = "hunter2-correct-horse"


def _redactor() -> Redactor:
    return Redactor({"MY_PASSWORD": SECRET})


def _metrics(message: str) -> Metrics:
    metrics = samples.full()
    metrics.errors[0].message = message
    metrics.attempts[0].error = message
    metrics.run.reason = message
    metrics.cost_by_agent = {message: 1.0}
    return metrics


def test_the_result_is_that_of_the_whole_tree() -> None:
    redactor = _redactor()
    metrics = _metrics(f"login with {SECRET} failed")
    whole = msgspec.convert(redactor.tree(msgspec.to_builtins(metrics)), Metrics)
    shown = RedactedMetrics(redactor.tree).of(metrics)
    assert shown == whole
    assert SECRET not in msgspec.json.encode(shown).decode()
    assert SECRET in (metrics.errors[0].message or ""), "the fold's own are not written to"


def test_only_what_is_another_object_is_looked_through_again() -> None:
    looked: list[Any] = []

    def redact(tree: Any) -> Any:
        looked.append(tree)
        return redactor.tree(tree)

    redactor, metrics = _redactor(), _metrics(SECRET)
    redacted = RedactedMetrics(redact)
    first = redacted.of(metrics)
    assert first.steps[0] is metrics.steps[0], "nothing to take out"
    looked.clear()
    again = redacted.of(metrics)
    assert len(looked) == 1, "only what is no list"
    assert [one is other for one, other in zip(again.attempts, first.attempts, strict=True)] == [True]
    looked.clear()
    metrics.attempts = [*metrics.attempts, msgspec.structs.replace(metrics.attempts[0], attempt=5)]
    metrics.errors = [msgspec.structs.replace(metrics.errors[0], count=9), *metrics.errors[1:]]
    grown = redacted.of(metrics)
    assert len(looked) == 3
    assert ([one.attempt for one in grown.attempts], grown.errors[0].count) == ([4, 5], 9)
    assert SECRET not in msgspec.json.encode(grown).decode()


def test_the_attempts_of_a_long_run_are_redacted_as_they_are_read_and_written_once() -> None:
    fold, journal, written = Fold(), Journal(), RowsWritten()
    journal.run_started()
    redacted = RedactedMetrics(_redactor().tree)
    rows: list[csv_rows.Row] = []

    def news(attempts: int) -> list[csv_rows.Row] | None:
        for _ in range(attempts):
            journal.add("agent.started", issue=1, agent="a")
            journal.add("agent.completed", after=1, issue=1, agent="a", success=False, error=f"not {SECRET}")
        for line in journal.lines:
            fold.feed_line(line)
        journal.lines.clear()
        metrics = fold.metrics(journal.now)
        shown = redacted.of(metrics)
        assert list(shown.attempts) == [redacted._entry(each) for each in metrics.attempts]
        plain = msgspec.structs.replace(shown, attempts=list(shown.attempts))
        assert metrics_json.render(shown) == metrics_json.render(plain)
        made: list[csv_rows.Row] = []
        while more := written.news(shown.attempts, lambda found: csv_rows.rows_of("agents", shown, found)):
            written.add(shown.attempts, more)
            made += more
        return None if more is None else made

    for attempts in (100, 900, 1, 3000, 0):  # a list at first
        new = news(attempts)
        assert new is not None
        assert len(new) == attempts
        rows += new
    metrics = fold.metrics(journal.now)
    assert isinstance(metrics.attempts, AttemptRows)
    assert rows == csv_rows.rows_of("agents", metrics, redacted.of(metrics).attempts)
    assert SECRET not in csv_rows.text(rows)
    journal.add("outcome.verified", issue=1, agent="a", success=True, source="ci")
    assert news(1) is None, "a row that was written is not so any more"
