"""Dead runs, recovered one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.dead_runs import dead_run, read
from runwatch.finalize.stages import Finalizer
from runwatch.finalize.state import FinalizeState
from runwatch.runs.recovery import recover_each, run_folders
from runwatch.settings import Settings


def test_a_run_with_impossible_numbers_and_one_that_cannot_be_finalized_keep_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("f/bad1", "f/good2", "f/huge3"):
        dead_run(tmp_path / "runs", name)
    with (tmp_path / "runs/f/huge3/events.jsonl").open("a") as journal:
        journal.write('{"type":"llm.completed","prompt_tokens":99999999999999999999}\n')
        journal.write('{"type":"tool.completed","tool":"x","duration_s":1e308}\n')
    run = Finalizer.run

    def fails(self: Finalizer, *, first: str | None = None, last: str | None = None) -> FinalizeState:
        if self.paths.run_id == "bad1":
            raise OverflowError("int too big to convert")
        return run(self, first=first, last=last)

    monkeypatch.setattr(Finalizer, "run", fails)
    results = list(recover_each(run_folders(tmp_path / "runs"), Settings(), force=True))
    assert [(each.run, each.done) for each in results] == [
        ("f/bad1", "failed"), ("f/good2", "finalized"), ("f/huge3", "finalized"),
    ]  # fmt: skip
    assert results[0].reason == "OverflowError: int too big to convert"
    assert read(tmp_path / "runs/f/huge3", "metrics.json")["journal"]["unreadable"] == 2
