"""The stages that end a journal: every open step ended, every price noted, one seal."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.finalize.close import close_steps, name_run, note_prices, seal, tell_lost_secrets, tell_slow_patterns
from runwatch.finalize.state import Outcome
from runwatch.fold import Fold
from runwatch.journal.follow import events
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.pricing import Pricer

NOW = "2026-10-20T14:23:45.000000Z"


class Record:
    """A run directory with a journal, folded as often as asked."""

    def __init__(self, root: Path, *, started: bool = True) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.paths = RunPaths(root)
        self.writer = EventWriter(self.paths)
        if started:
            self.writer.emit("run.started", framework="f", run_id="r", ts=NOW)

    def fold(self) -> Fold:
        """Fold the whole journal anew."""
        fold = Fold(price=Pricer({"m": {"input": 1.0, "output": 2.0}}))
        for line in self.paths.journal.read_bytes().splitlines():
            fold.feed_line(line)
        return fold

    def types(self) -> list[str]:
        """Return the types of the journal's events, in order."""
        return [type(event).__name__ for _, event in events(self.paths.journal)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", ["success", "success"]),
        ("merged", ["success", "success"]),
        ("failed", ["interrupted", "failed"]),
        ("interrupted", ["interrupted", "interrupted"]),
        ("crashed", ["interrupted", "interrupted"]),
    ],
)
def test_a_step_left_open_ends_as_the_run_did(tmp_path: Path, status: str, expected: list[str]) -> None:
    record = Record(tmp_path)
    for step in (1, 2, 3):
        record.writer.emit("step.started", step=step)
    record.writer.emit("step.completed", step=1, status="skipped")
    outcome = Outcome(status=status, ended=NOW)
    close_steps(record.fold().metrics(NOW), outcome, record.writer)
    assert [step.status for step in record.fold().metrics(NOW).steps] == ["skipped", *expected]
    before = record.types()
    close_steps(record.fold().metrics(NOW), outcome, record.writer)
    assert record.types() == before


def test_what_is_to_be_known_of_the_redaction_is_told_once(tmp_path: Path) -> None:
    record = Record(tmp_path)
    for _ in range(2):
        tell_slow_patterns([2], record.fold().metrics(NOW), record.writer)
        tell_lost_secrets(record.fold().metrics(NOW), record.writer)
    slow, lost = record.fold().metrics(NOW).notices
    assert slow.message.startswith("redact: pattern 2 of [redact] took too long")
    assert "secrets is lost" in lost.message


def test_the_prices_that_were_used_are_noted_once(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.writer.emit("llm.completed", model="m", prompt_tokens=1_000_000, completion_tokens=1_000_000)
    record.writer.emit("llm.completed", model="m", prompt_tokens=5, completion_tokens=0, cost_usd=0.25)
    for _ in range(2):
        note_prices(record.fold(), record.writer)
    assert record.types().count("LlmPriced") == 1
    dearer = Fold(price=Pricer({"m": {"input": 100.0, "output": 100.0}}))
    for line in record.paths.journal.read_bytes().splitlines():
        dearer.feed_line(line)
    assert dearer.metrics(NOW).run.cost_usd == 3.25


def test_the_seal_stands_once_and_names_how_the_run_ended(tmp_path: Path) -> None:
    record = Record(tmp_path)
    outcome = Outcome(status="failed", exit_code=3, reason="exit code 3", ended=NOW)
    for _ in range(2):
        seal(record.fold(), outcome, record.writer)
    assert record.types() == ["RunStarted", "RunCompleted"]
    run = record.fold().metrics(NOW).run
    assert (run.status, run.exit_code, run.reason, run.end_time) == ("failed", 3, "exit code 3", NOW)


def test_a_journal_with_no_start_gets_one_that_names_the_run_once(tmp_path: Path) -> None:
    record = Record(tmp_path / "runs" / "fw" / "the-run", started=False)
    record.writer.emit("step.started", step=1, ts="2026-10-20T14:00:00.000000Z")
    for _ in range(2):
        name_run(record.fold().metrics(NOW), Outcome(status="crashed", ended=NOW), record.paths, record.writer)
    run = record.fold().metrics(NOW).run
    assert (run.framework, run.run_id, run.start_time) == ("fw", "the-run", "2026-10-20T14:00:00.000000Z")
    assert record.types() == ["StepStarted", "RunStarted"]
