"""Runs that nobody owns any more: found, told apart, finalized, committed, named."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from integration.dead_runs import LONG_AGO, OTHER_BOOT, dead_run, files, killed, read
from integration.recorded import PATIENCE_S, RUNWATCH, git, record, repository, runwatch, start, wait_for
from runwatch.finalize import condition, recovery
from runwatch.journal.paths import RunPaths
from runwatch.record import sweep
from runwatch.runs.recovery import only_one
from runwatch.settings import Settings

FIVE = ("metadata.json", "metrics.json", "commit.txt", "logs_summary.txt", "summary.md")


def recover(cwd: Path, *options: str, code: int = 0) -> list[dict[str, Any]]:
    """Recover, and return what was done by run."""
    done = runwatch("recover", "--json", *options, cwd=cwd)
    assert done.returncode == code, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def told(cwd: Path, *options: str) -> list[tuple[str, str, str]]:
    """Recover, and return run, condition and deed of each."""
    return [(each["run"], each["found"], each["done"]) for each in recover(cwd, *options)]


def test_a_dead_run_is_finalized_in_full_with_one_commit_and_one_line(tmp_path: Path) -> None:
    repository(tmp_path)
    run = dead_run(tmp_path / "runs")
    (run / ".step").write_text("step 0000000001\n")
    done = runwatch("recover", cwd=tmp_path)
    assert done.returncode == 0
    sha = git("rev-parse", "HEAD", cwd=tmp_path).strip()
    line = f"finalized  f/r1  crashed: its processes are gone; commit {sha[:12]} on main\n"
    assert done.stdout.decode() == line
    assert git("show", "--name-only", "--format=", "HEAD", cwd=tmp_path).split() == sorted(
        f"runs/f/r1/{name}" for name in FIVE
    )
    assert not (run / ".step").exists()
    metadata = read(run, "metadata.json")
    assert (metadata["status"], metadata["end_time"][:19]) == ("crashed", "2026-10-20T10:00:03")
    assert read(run, "metrics.json")["run"]["duration_seconds"] == 3.0
    assert runwatch("verify", "f/r1", cwd=tmp_path).returncode == 0
    again = runwatch("recover", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, b"")
    assert b"Nothing to recover" in again.stderr
    assert git("rev-parse", "HEAD", cwd=tmp_path).strip() == sha


def test_the_status_that_somebody_wrote_before_all_died_is_kept(tmp_path: Path) -> None:
    repository(tmp_path)
    outcome = {"status": "failed", "exit_code": 4, "reason": "exit code 4", "ended": "2026-10-20T10:00:05Z"}
    run = dead_run(tmp_path / "runs", ended=outcome, boot_id=OTHER_BOOT)
    assert told(tmp_path) == [("f/r1", "dead", "finalized")]
    metadata = read(run, "metadata.json")
    assert (metadata["status"], metadata["exit_code"], metadata["reason"]) == ("failed", 4, "exit code 4")


def test_a_sealed_journal_whose_finalize_json_was_lost_keeps_its_status(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    with (run / "events.jsonl").open("a") as journal:
        journal.write('{"type":"run.completed","ts":"2026-10-20T10:00:09Z","status":"failed","exit_code":6}\n')
    assert [each["status"] for each in recover(tmp_path)] == ["failed"]
    assert read(run, "metadata.json")["exit_code"] == 6


def test_a_machine_that_went_down_is_named_as_the_reason(tmp_path: Path) -> None:
    dead_run(tmp_path / "runs", boot_id=OTHER_BOOT)
    assert [each["reason"] for each in recover(tmp_path)] == ["the machine went down while it ran"]


def test_a_run_of_another_host_is_told_apart_and_not_touched_without_force(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs", host="elsewhere-7", boot_id=OTHER_BOOT)
    before = files(run)
    (found,) = recover(tmp_path)
    assert (found["found"], found["done"]) == ("elsewhere", "nothing")
    assert "elsewhere-7" in found["reason"]
    assert "--force" in found["reason"]
    for words in (["finalize", "f/r1"], ["stop", "f/r1"], ["wait", "f/r1"]):
        refused = runwatch(*words, cwd=tmp_path)
        assert (refused.returncode, b"elsewhere-7" in refused.stderr) == (1, True)
    assert files(run) == before
    assert told(tmp_path, "--force") == [("f/r1", "dead", "finalized")]
    assert read(run, "metadata.json")["status"] == "crashed"


def test_a_machine_with_our_name_that_is_alive_is_another_host_too(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs", boot_id=OTHER_BOOT)
    os.utime(run / ".lock")  # a heartbeat, though not of this boot
    assert [each["found"] for each in recover(tmp_path)] == ["elsewhere"]


def test_another_host_name_in_the_same_boot_is_a_container_of_this_machine(tmp_path: Path) -> None:
    dead_run(tmp_path / "runs", host="3f2a91c0d1e2")
    assert told(tmp_path) == [("f/r1", "dead", "finalized")]


def test_broken_directories_are_said_and_passed_over(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "f" / "no_journal" / "logs").mkdir(parents=True)
    (runs / "f" / "no_journal" / ".lock").touch()
    garbage = dead_run(runs, "f/garbage")
    (garbage / "events.jsonl").write_bytes(b"\xff\x00nonsense\n" * 50)
    empty = dead_run(runs, "f/empty")
    (empty / "events.jsonl").write_bytes(b"")
    linked = dead_run(runs, "f/linked")
    (linked / "events.jsonl").rename(tmp_path / "outside.jsonl")
    (linked / "events.jsonl").symlink_to(tmp_path / "outside.jsonl")
    gone = dead_run(runs, "f/gone", ended={"status": "failed"})
    (gone / "metadata.json").write_text("{}")
    for name in ("events.jsonl", ".lock"):
        (gone / name).unlink()
    newer = dead_run(runs, "f/newer", schema=99)
    (runs / "f" / "notes").mkdir()
    (runs / "f" / "notes" / "readme.txt").write_text("mine")
    (runs / "f" / "loop").symlink_to(runs)
    dead_run(runs, "f/whole")
    broken = {"f/no_journal", "f/garbage", "f/empty", "f/linked", "f/gone"}
    before = {path: files(path) for path in (garbage, empty, linked, newer)}
    found = {each["run"]: (each["found"], each["done"]) for each in recover(tmp_path)}
    assert found == {"f/whole": ("dead", "finalized"), "f/newer": ("newer", "nothing")} | dict.fromkeys(
        broken, ("broken", "nothing")
    )
    for name in ("newer", "garbage"):
        assert runwatch("finalize", f"f/{name}", cwd=tmp_path).returncode == 1
    assert {path: files(path) for path in before} == before
    lines = runwatch("recover", cwd=tmp_path).stdout.decode().splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(broken | {"f/newer"})
    assert all(len(line.split()) > 4 for line in lines)  # each with its reason
    assert any("its events.jsonl was deleted" in line for line in lines)


def test_a_live_run_is_skipped(tmp_path: Path) -> None:
    dead_run(tmp_path / "runs")
    with only_one(tmp_path / "runs") as alone:  # else the live run has the dead one recovered
        assert alone
        process = start("sh", "-c", "echo ready; read line", cwd=tmp_path, stdin=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert told(tmp_path) == [("f/r1", "dead", "finalized")]
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0


def test_a_live_run_whose_lock_was_deleted_is_left_alone_by_all_and_stopped_on_request(tmp_path: Path) -> None:
    repository(tmp_path)
    process = start("sh", "-c", "echo said; exec sleep 600", cwd=tmp_path)
    run = wait_for(lambda: [path.parent for path in tmp_path.glob("runs/*/*/metrics.json")], "the recorder")[0]
    (run / ".lock").unlink()
    os.utime(run, LONG_AGO)
    refused = runwatch("finalize", run.name, cwd=tmp_path)
    assert refused.returncode == 1
    assert b"writes its journal, though its lock file is gone" in refused.stderr
    assert recover(tmp_path) == []
    assert not (run / "finalize.json").exists()
    assert git("log", "--format=%s", cwd=tmp_path).count("\n") == 1
    assert process.poll() is None
    assert runwatch("stop", run.name, cwd=tmp_path).returncode == 0
    process.communicate(timeout=PATIENCE_S)
    assert read(run, "metadata.json")["status"] == "interrupted"
    assert git("log", "--format=%s", cwd=tmp_path).count("\n") == 2


def test_a_run_that_is_just_starting_is_not_taken_for_dead(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    (run / ".lock").unlink()
    before = files(run)
    assert recover(tmp_path) == []
    assert files(run) == before
    os.utime(run, LONG_AGO)
    assert told(tmp_path) == [("f/r1", "dead", "finalized")]


def test_a_finalized_run_gets_the_commit_that_was_not_possible_before(tmp_path: Path) -> None:
    repository(tmp_path)
    in_the_way = tmp_path / ".git" / "MERGE_HEAD"
    in_the_way.write_text(git("rev-parse", "HEAD", cwd=tmp_path))
    run = record("true", cwd=tmp_path)
    archive = (run.dir / "run.tar.gz").read_bytes()
    (kept,) = recover(tmp_path, code=1)
    assert (kept["found"], kept["done"]) == ("uncommitted", "failed")
    assert "merge" in kept["problems"][0]
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "1\n"
    in_the_way.unlink()
    done = runwatch("recover", cwd=tmp_path)
    assert done.stdout.startswith(b"committed ")
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "2\n"
    assert (run.dir / "run.tar.gz").read_bytes() == archive
    assert recover(tmp_path) == []
    assert git("status", "--porcelain", cwd=tmp_path) == ""


def test_a_finalized_run_outside_of_git_has_nothing_to_recover(tmp_path: Path) -> None:
    record("true", cwd=tmp_path)
    assert recover(tmp_path) == []


def test_what_outlived_all_is_named_with_its_pid_and_a_pid_given_again_is_not(tmp_path: Path) -> None:
    # The command itself is known by its mark though it has shed its environment, its child by its environment.
    script = "sleep 600 & echo $! > child; echo $$; exec env -u RUNWATCH_RUN_DIR sleep 601"
    run, command = killed(tmp_path, "sh", "-c", script)
    child = int((tmp_path / "child").read_text())
    try:
        note = (run / ".lock").read_bytes()
        again = dead_run(tmp_path / "runs", "f/again")
        pid, start_ticks, boot = note.split()
        assert int(pid) == command
        (again / ".lock").write_bytes(b"%s %d %s\n" % (pid, int(start_ticks) - 1, boot))  # that pid, another process
        os.utime(again / ".lock", LONG_AGO)
        alive = [{"pid": command, "command": "sleep 601"}, {"pid": child, "command": "sleep 600"}]
        found = {each["path"]: each["left_running"] for each in recover(tmp_path)}
        assert found == {str(run): alive, str(again): []}
        summary = " ".join((run / "logs_summary.txt").read_text().split())
        assert f"process {command} (sleep 601)" in summary
        assert f"process {child} (sleep 600)" in summary
    finally:
        for left in (command, child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


def test_two_at_once_make_one_commit_each(tmp_path: Path) -> None:
    repository(tmp_path)
    for number in range(4):
        dead_run(tmp_path / "runs", f"f/r{number}")
    command = [*RUNWATCH, "recover", "--json"]
    both = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "5\n"
    rows = (tmp_path / "runs" / "csv" / "runs.csv").read_text().splitlines()
    assert len(rows) == 5


@pytest.mark.parametrize("options", [("--runs-dir", "nowhere"), ()])
def test_where_there_are_no_runs_there_is_nothing_to_recover(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = runwatch("recover", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert list(tmp_path.iterdir()) == []
    assert b"Nothing to recover" in done.stderr


def test_the_next_run_finalizes_dead_ones_in_full_and_names_them(tmp_path: Path) -> None:
    repository(tmp_path)
    dead = [dead_run(tmp_path / "runs", f"f/r{number}") for number in range(2)]
    waiting = "while ! grep -q '\"done\": {' runs/f/*/finalize.json; do sleep 0.05; done; sleep 0.2; exit 3"
    done = runwatch("run", "--headless", "--", "sh", "-c", waiting, cwd=tmp_path)
    assert done.returncode == 3
    said = done.stderr.decode()
    assert "2 earlier runs have lost their processes" in said
    for run in dead:
        assert f"f/{run.name}" in said
        wait_for(lambda run=run: _is_done(run), "the end of the recovery")
        assert read(run, "metadata.json")["status"] == "crashed"
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "4\n"  # the first one, two dead ones, this one
    assert git("status", "--porcelain", cwd=tmp_path) == ""


def _is_done(run: Path) -> bool:
    try:
        return bool(read(run, "finalize.json")["stages"]["done"]["done"])
    except (OSError, ValueError, KeyError):
        return False


def test_a_run_that_is_over_at_once_has_dead_ones_finalized_too(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    assert runwatch("run", "--headless", "--", "true", cwd=tmp_path).returncode == 0
    wait_for(lambda: _is_done(run), "the recovery, which outlives the run")


def test_a_run_that_died_moments_before_the_next_one_is_named_and_finalized_once_it_is_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path)
    dead, fresh = dead_run(tmp_path / "runs"), dead_run(tmp_path / "runs", "f/r2")
    os.utime(fresh / "events.jsonl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(condition, "SETTLED_S", 1000.0)  # here alone: the process that recovers waits for less
    said: list[str] = []
    neighbors = sweep.Neighbors(RunPaths(tmp_path / "runs/f/own"), said.append)
    neighbors.start()
    neighbors.settle(PATIENCE_S)
    assert said[:2] == [
        "runwatch: 1 earlier run has lost its processes and will be finalized in the background: f/r1",
        "runwatch: 1 earlier run lost all processes moments ago and will be finalized in the background: f/r2",
    ]
    wait_for(lambda: len(said) == 4, "what became of both")
    assert [line.split()[1:3] for line in said[2:]] == [["finalized", "f/r1"], ["finalized", "f/r2"]]
    assert all(read(run, "finalize.json")["commit"]["sha"] for run in (dead, fresh))


def test_a_run_that_was_moved_away_leaves_alone_what_lies_around_it(tmp_path: Path) -> None:
    dead_run(tmp_path / "place")
    own = dead_run(tmp_path / "runs").rename(tmp_path / "place" / "f" / "moved")
    said: list[str] = []
    neighbors = sweep.Neighbors(RunPaths(own), said.append)
    neighbors.start()
    neighbors.settle(PATIENCE_S)
    assert said == []
    back = own.rename(tmp_path / "runs" / "f" / "r1")
    neighbors = sweep.Neighbors(RunPaths(back.parents[2] / "place" / "f" / "own"), said.append)
    neighbors.start()
    wait_for(lambda: said, "the dead run beside one that lies in its place")


def test_a_run_that_somebody_goes_on_writing_to_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "UNSETTLED_S", 0.1)
    run = dead_run(tmp_path / "runs")
    os.utime(run / "events.jsonl")
    sweep.sweep(tmp_path / "runs", look=False, say=print)
    assert not (run / "finalize.json").exists()


def test_recovery_begins_only_after_the_command_was_started(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    process = start("sh", "-c", "read line", cwd=tmp_path, stdin=subprocess.PIPE)
    wait_for(lambda: _is_done(run), "the recovery")
    live = next(path for path in tmp_path.glob("runs/default/*"))
    ticks = int((live / ".lock").read_bytes().split()[1])
    booted = next(int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if "btime" in line)
    started = booted + ticks / os.sysconf("SC_CLK_TCK")
    stage = read(run, "finalize.json")["stages"]["close"]["at"]
    assert datetime.fromisoformat(stage).timestamp() > started - 1  # btime is in whole seconds
    process.communicate(b"\n", timeout=60)


def test_only_one_recovers_in_the_background_and_it_stays_out_of_the_way(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    folder = os.open(tmp_path / "runs", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        command = [sys.executable, "-P", "-m", "runwatch.record.sweep", str(tmp_path / "runs")]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout == b""
        assert not (run / "finalize.json").exists()
    finally:
        os.close(folder)
    script = "import os; from runwatch.record import sweep; sweep.main(); print(os.nice(0))"
    command = [sys.executable, "-c", script, str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.startswith(b"finalized  f/r1")
    assert int(done.stdout.splitlines()[-1]) >= 10


def test_a_run_that_may_not_be_dead_after_all_is_left_to_its_watchers(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    os.utime(run / "events.jsonl")
    assert not sweep.can_sweep(RunPaths(run))
    os.utime(run / "events.jsonl", LONG_AGO)
    assert sweep.can_sweep(RunPaths(run))


HOLD = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX, 1, 2)  # as a finalizer does
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("lets_go", [True, False])
def test_recovering_waits_for_one_who_only_looks_and_commits_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lets_go: bool
) -> None:
    repository(tmp_path)
    run = dead_run(tmp_path / "runs")
    command = [sys.executable, "-c", HOLD, str(run / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as looking:
        assert looking.stdout is not None
        looking.stdout.readline()
        os.utime(run / ".lock", LONG_AGO)
        waited: list[float] = []

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            if lets_go:
                looking.communicate()

        monkeypatch.setattr(recovery, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: sum(waited)))
        result = recovery.recover(run, Settings())
        assert waited
        looking.kill()
    if lets_go:
        assert (result.done, result.commit) == ("finalized", git("rev-parse", "HEAD", cwd=tmp_path).strip())
    else:
        assert (result.done, result.reason) == ("failed", f"process {looking.pid} is finalizing it")
