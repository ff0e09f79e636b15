"""What is kept of runs from scrape to scrape: counters never fall, and nothing counts twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from journals import Journal
from runwatch.fold.metrics import Metrics
from runwatch.journal.lock import Role, RunLock
from runwatch.runs.totals import keep, load_totals
from runwatch.serve.exposed import Runs


def _run(root: Path, name: str, merges: int, *, status: str | None = "completed") -> Metrics:
    journal = Journal()
    journal.run_started(framework="f", run_id=name)
    for _ in range(merges):
        journal.add("git.operation", operation="merge", result="success")
    if status is not None:
        journal.run_completed(status)
    metrics = journal.metrics()
    folder = root / "f" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.json").write_text("{}")
    (folder / "metrics.json").write_bytes(msgspec.json.encode(metrics))
    return metrics


def _merges(runs: Runs) -> float | None:
    _, totals = runs.now()
    values = [series.value for one in totals.instruments if one.name == "git_merge_total" for series in one.series]
    return values[0] if values else None


def test_a_run_that_is_deleted_by_hand_still_counts_also_after_a_restart(tmp_path: Path) -> None:
    _run(tmp_path, "a", 3)
    _run(tmp_path, "b", 4)
    runs = Runs(tmp_path)
    assert _merges(runs) == 7
    shutil.rmtree(tmp_path / "f" / "a")
    assert _merges(runs) == 7
    assert _merges(Runs(tmp_path)) == 7


def test_a_run_that_retention_counts_before_it_deletes_it_counts_once_at_every_moment(tmp_path: Path) -> None:
    metrics = _run(tmp_path, "a", 3)
    _run(tmp_path, "b", 4)
    runs = Runs(tmp_path)
    assert _merges(runs) == 7
    keep(tmp_path, {"f/a": metrics.instruments})
    assert _merges(runs) == 7, "counted, and still there"
    shutil.rmtree(tmp_path / "f" / "a")
    assert _merges(runs) == 7
    keep(tmp_path, {"f/a": metrics.instruments})
    assert _merges(runs) == 7
    assert load_totals(tmp_path).counted == ["f/a"]


def test_a_live_run_is_seen_as_it_grows_and_as_it_ends(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    assert _merges(runs) is None
    _run(tmp_path, "a", 1, status=None)
    assert _merges(runs) == 1
    _run(tmp_path, "a", 12)
    assert _merges(runs) == 12
    (exposed,) = runs.now()[0]
    assert (exposed.live, exposed.metrics.run.status) == (False, "completed")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"run": 3}'])
def test_a_file_that_cannot_be_read_keeps_what_was_known(tmp_path: Path, content: bytes) -> None:
    _run(tmp_path, "a", 5)
    runs = Runs(tmp_path)
    assert _merges(runs) == 5
    (tmp_path / "f" / "a" / "metrics.json").write_bytes(content)
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "totals.json").write_bytes(content)
    assert _merges(runs) == 5


def test_only_the_newest_runs_are_shown_one_by_one_and_all_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runwatch.serve.exposed.MOST_RUNS", 2)
    for number in range(5):
        _run(tmp_path, f"r{number}", 1)
        path = tmp_path / "f" / f"r{number}" / "metrics.json"
        value = json.loads(path.read_bytes())
        value["run"]["start_time"] = f"2026-11-2{number}T10:00:00.000000Z"
        path.write_text(json.dumps(value))
    runs = Runs(tmp_path)
    for _ in range(2):
        shown, _totals = runs.now()
        assert [exposed.metrics.run.run_id for exposed in shown] == ["r4", "r3"]
        assert _merges(runs) == 5


def test_what_has_not_changed_is_the_same_object_and_what_has_is_not(tmp_path: Path) -> None:
    _run(tmp_path, "a", 1)
    _run(tmp_path, "b", 2, status=None)
    lock = RunLock.of(tmp_path / "f" / "b" / ".lock")
    assert lock.acquire(Role.OWNER)
    try:
        runs = Runs(tmp_path)
        (live, still), totals = runs.now()
        assert (live.live, still.live) == (True, False)
        again, same = runs.now()
        assert [one is other for one, other in zip(again, (live, still), strict=True)] == [True, True]
        assert same is totals
        _run(tmp_path, "b", 5, status=None)
        (grown, other), more = runs.now()
        assert (grown is live, other is still) == (False, True)
        assert (_merges(runs), more is totals) == (6, False)
    finally:
        lock.close()
    (dead, _), _ = runs.now()
    assert (dead.live, dead.metrics.run.run_id) == (False, "b"), "its owner died"
    assert _merges(runs) == 6
