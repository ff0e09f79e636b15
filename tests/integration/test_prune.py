"""Pruning real runs: what goes, what never goes, what is left after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from integration.dead_runs import dead_run, files
from integration.recorded import git, record, repository, runwatch, start, wait_for
from runwatch.runs import pruning
from runwatch.runs.recovery import only_one
from runwatch.runs.totals import load_totals

COUNTING = """
import runwatch
with runwatch.RunLogger(run_id="{name}", guard=False):
    runwatch.task_metrics.completion_total.labels(status="done", worker_profile="w").inc({times})
"""


def finished(runs: Path, name: str, day: int) -> Path:
    """Lay out a finalized run that started on a day of January 2026."""
    run = runs / name
    (run / "logs" / "step_001").mkdir(parents=True)
    (run / "logs" / "step_001" / "stdout.log").write_bytes(b"x" * 20_000)
    (run / "run.tar.gz").write_bytes(b"y" * 10_000)
    (run / "events.jsonl").write_text('{"type":"run.started"}\n')
    started = f"2026-01-{day:02}T10:00:00Z"
    (run / "metadata.json").write_text(json.dumps({"status": "completed", "start_time": started}))
    stage = {"done": True}
    stages = dict.fromkeys(
        ("close", "price", "seal", "status", "fold", "reports", "summary", "archive", "verify", "summary_final",
         "commit", "done"), stage,
    )  # fmt: skip
    (run / "finalize.json").write_text(json.dumps({"outcome": {"status": "completed"}, "stages": stages}))
    (run / ".lock").touch()
    return run


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Five finalized runs of two frameworks, r1 the oldest."""
    for day in range(1, 6):
        finished(tmp_path / "runs", f"{'ab'[day % 2]}/r{day}", day)
    return tmp_path / "runs"


def there(runs: Path) -> list[str]:
    return sorted(path.parent.name for path in runs.glob("*/*/metadata.json"))


def prune(cwd: Path, *arguments: str) -> Any:
    """Prune and return what was said, as JSON."""
    done = runwatch("prune", "--json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_newest_runs_stay_and_what_goes_is_said(five: Path, tmp_path: Path) -> None:
    before = files(five)
    would = runwatch("prune", "--max-runs", "2", "--dry-run", cwd=tmp_path)
    assert would.returncode == 0, would.stderr
    assert b"would go" in would.stdout
    assert b"nothing was touched" in would.stdout
    assert files(five) == before, "a dry run writes nothing"
    said = prune(tmp_path, "--max-runs", "2", "--dry-run")
    done = prune(tmp_path, "--max-runs", "2")
    assert [each["run"] for each in done["pruned"]] == ["b/r3", "a/r2", "b/r1"]
    assert [each["size_bytes"] for each in done["pruned"]] == [each["size_bytes"] for each in said["pruned"]]
    assert done["freed_bytes"] >= 3 * 30_000
    assert there(five) == ["r4", "r5"]
    assert {path.name for path in five.iterdir()} == {"a", "b", "csv"}, "nothing is left aside"
    assert prune(tmp_path, "--max-runs", "2")["pruned"] == []


def test_age_counts_from_the_start_and_the_last_run_takes_its_framework_along(five: Path, tmp_path: Path) -> None:
    old = f"{(time.time() - 1_767_434_400) / 86_400:.3f}"  # 2026-01-03T10:00:00Z
    finished(five, "c/r0", 1)
    prune(tmp_path, "--max-age", str(float(old) - 0.5))
    assert there(five) == ["r4", "r5"]
    assert not (five / "c").exists()


def test_archives_go_by_their_own_limit(five: Path, tmp_path: Path) -> None:
    (tmp_path / "runwatch.toml").write_text("[retention]\narchives = 3\n")
    done = prune(tmp_path)
    assert [(each["run"], each["what"]) for each in done["pruned"]] == [("a/r2", "archive"), ("b/r1", "archive")]
    assert there(five) == ["r1", "r2", "r3", "r4", "r5"]
    assert sorted(path.parent.name for path in five.glob("*/*/run.tar.gz")) == ["r3", "r4", "r5"]


def test_a_live_run_and_one_that_is_not_finalized_stay(five: Path, tmp_path: Path) -> None:
    dead = dead_run(five, "z/dead")
    os.utime(dead / "events.jsonl", (1_760_000_000, 1_760_000_000))
    with only_one(five) as alone:  # else the live run has the dead one recovered
        assert alone
        process = start("sh", "-c", "echo ready; read line; true", cwd=tmp_path, stdin=subprocess.PIPE)
        live = wait_for(lambda: [*five.glob("default/*/metadata.json")], "the live run's first flush")[0].parent
        done = prune(tmp_path, "--max-age", "0.0000001")
    reasons = {each["run"]: each["reason"] for each in done["left"]}
    assert reasons == {
        f"default/{live.name}": "it goes on",
        "z/dead": "it is not finalized: `runwatch recover` does that",
    }
    assert there(five) == [live.name]
    assert (dead / "events.jsonl").exists()
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0


def test_what_git_tracks_stays_and_git_sees_no_change(tmp_path: Path) -> None:
    repository(tmp_path)
    assert runwatch("init", cwd=tmp_path).returncode == 0
    git("add", "-A", cwd=tmp_path)
    git("commit", "-qm", "init", cwd=tmp_path)
    run = record("echo", "hello", cwd=tmp_path).dir
    kept = run / "logs" / "stdout.log"
    git("add", "-f", str(kept), cwd=tmp_path)
    before = git("status", "--porcelain", cwd=tmp_path)
    done = prune(tmp_path, "--max-age", "0.0000001")
    assert [(each["tracked"], each["done"]) for each in done["pruned"]] == [(6, True)]
    assert git("status", "--porcelain", cwd=tmp_path) == before
    assert sorted(files(run)) == [
        "commit.txt", "logs/stdout.log", "logs_summary.txt", "metadata.json", "metrics.json", "summary.md",
    ]  # fmt: skip
    assert prune(tmp_path, "--max-age", "0.0000001")["pruned"] == [], "what is left is all that git tracks"
    assert b"completed" in runwatch("ls", cwd=tmp_path).stdout


def test_nothing_is_deleted_through_a_link_or_beyond_one(five: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    finished(tmp_path, "outside/r9", 1)
    (outside / "precious.txt").write_text("keep")
    (five / "linked").symlink_to(outside)
    (five / "a" / "alias").symlink_to(outside / "r9")
    (five / "b" / "r1" / "workspace").symlink_to(outside)
    (five / "b" / "r1" / "logs" / "link.log").symlink_to(outside / "precious.txt")
    before = files(outside)
    prune(tmp_path, "--max-runs", "1")
    assert there(five) == ["alias", "r5", "r9"], "two are seen through links, where they stay"
    assert files(outside) == before


def test_read_only_folders_of_a_program_go_too(five: Path, tmp_path: Path) -> None:
    cache = five / "b" / "r1" / "workspace" / "cache"
    cache.mkdir(parents=True)
    (cache / "module.txt").write_text("x")
    cache.chmod(0o500)
    prune(tmp_path, "--max-runs", "4")
    assert there(five) == ["r2", "r3", "r4", "r5"]


def test_a_kill_half_way_leaves_nothing_that_looks_like_a_run(five: Path, tmp_path: Path) -> None:
    code = f"""
import os, shutil, signal
from pathlib import Path
from runwatch.runs import pruning
from runwatch.runs.retention import RetentionPolicy
shutil.rmtree = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
RetentionPolicy(max_runs=4).prune(Path({str(five)!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path).returncode == -9
    assert there(five) == ["r2", "r3", "r4", "r5"]
    assert list((five / pruning.ASIDE).glob("*/run/events.jsonl")), "it was aside"
    assert len(json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)) == 4
    prune(tmp_path, "--max-runs", "3")
    assert not (five / pruning.ASIDE).exists(), "the next pruning takes it away"


def test_counters_of_pruned_runs_are_kept_for_serve(tmp_path: Path) -> None:
    for name, times in (("one", 3), ("two", 4)):
        code = COUNTING.format(name=name, times=times)
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    done = prune(tmp_path, "--max-runs", "1")
    assert [each["run"] for each in done["pruned"]] == ["default/one"]
    totals = load_totals(tmp_path / "runs")
    (kept,) = [one for one in totals.instruments if one.name == "task_completion_total"]
    assert (totals.counted, kept.series[0].value) == (["default/one"], 3.0)


def test_a_program_prunes_by_the_public_names_and_never_raises(five: Path, tmp_path: Path) -> None:
    code = """
import runwatch
assert [each.run for each in runwatch.RetentionPolicy(max_runs=4).apply(dry_run=True).pruned] == ["b/r1"]
assert [each.run for each in runwatch.LogRotation(max_runs=3, max_age_days=None).rotate().pruned] == ["a/r2", "b/r1"]
assert runwatch.LogRotation(max_runs=0).rotate().pruned == []
assert runwatch.RetentionPolicy().apply().pruned == []
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert there(five) == ["r3", "r4", "r5"]
    assert "max_runs is 0" in done.stderr
    assert "Nothing says what to keep" in done.stderr


def test_wrong_use_is_one_sentence(tmp_path: Path) -> None:
    done = runwatch("prune", cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"--max-runs" in done.stderr
    assert runwatch("prune", "--max-runs", "0", cwd=tmp_path).returncode == 2
