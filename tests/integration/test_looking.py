"""Commands that only look: a dead run is shown as ended and recovered, and never committed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from integration.dead_runs import LONG_AGO, OTHER_BOOT, dead_run, files, read, recorder_of, small_disk
from integration.recorded import git, repository, run_dir, runwatch, start, wait_for

STALLED_AGO_S = 42


def _has_archive(run: Path) -> bool:
    try:
        return bool(read(run, "finalize.json")["stages"]["summary_final"]["done"])
    except (OSError, ValueError, KeyError):
        return False


def test_ls_shows_a_dead_run_as_ended_and_has_it_recovered_up_to_its_commit(tmp_path: Path) -> None:
    repository(tmp_path)
    run = dead_run(tmp_path / "runs", boot_id=OTHER_BOOT)
    done = runwatch("ls", "--json", cwd=tmp_path)
    (row,) = json.loads(done.stdout)
    assert (row["status"], row["live"], row["reason"]) == ("crashed", False, "the machine went down while it ran")
    assert b"f/r1" in done.stderr
    assert b"`runwatch recover`" in done.stderr
    wait_for(lambda: _has_archive(run), "the recovery in the background")
    assert runwatch("verify", "f/r1", cwd=tmp_path).returncode == 0
    assert read(run, "metadata.json")["status"] == "crashed"
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "1\n"
    assert git("status", "--porcelain", cwd=tmp_path) == ""
    again = runwatch("ls", cwd=tmp_path)
    assert b"crashed" in again.stdout
    assert b"`runwatch recover`" in again.stderr  # the commit still waits for it
    assert runwatch("recover", cwd=tmp_path).returncode == 0
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "2\n"
    assert runwatch("ls", cwd=tmp_path).stderr == b""


def test_show_recovers_status_summary_and_archive_first_and_never_commits(tmp_path: Path) -> None:
    repository(tmp_path)
    run = dead_run(tmp_path / "runs")
    done = runwatch("show", "f/r1", cwd=tmp_path)
    assert done.stdout == (run / "logs_summary.txt").read_bytes()
    assert b"CRASHED" in done.stdout
    assert b"run.tar.gz" in done.stdout
    assert b"`runwatch recover`" in done.stderr
    assert runwatch("verify", "f/r1", cwd=tmp_path).returncode == 0
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "1\n"
    summary = done.stdout
    assert runwatch("recover", cwd=tmp_path).returncode == 0
    assert runwatch("show", "f/r1", cwd=tmp_path).stdout == summary
    assert git("show", "HEAD:runs/f/r1/logs_summary.txt", cwd=tmp_path).encode() == summary


def test_logs_of_a_dead_run_end_and_say_which_command_finalizes_it(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    done = runwatch("logs", "-f", "f/r1", cwd=tmp_path)
    assert [line.split()[-1] for line in done.stdout.splitlines()] == [b"one", b"two"]
    assert b"`runwatch recover`" in done.stderr
    wait_for(lambda: _has_archive(run), "the recovery in the background")


def test_in_a_read_only_place_a_dead_run_is_shown_right_and_nothing_is_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    if not small_disk(disk):
        pytest.skip("mount is not permitted here: a read-only file system cannot be made")
    try:
        run = dead_run(disk / "runs", boot_id=OTHER_BOOT)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        before = files(run)
        options = ("--runs-dir", str(disk / "runs"))
        (row,) = json.loads(runwatch("ls", "--json", *options, cwd=tmp_path).stdout)
        assert (row["status"], row["reason"]) == ("crashed", "the machine went down while it ran")
        shown = runwatch("show", *options, cwd=tmp_path)
        assert shown.returncode == 0
        assert b"CRASHED" in shown.stdout
        assert b"the machine went down while it ran" in shown.stdout
        assert runwatch("logs", *options, cwd=tmp_path).stdout.count(b"\n") == 2
        assert files(run) == before
        said = f"{run} cannot be finalized, for its disk is read-only: make that writable and try again"
        refused = runwatch("recover", *options, cwd=tmp_path)
        assert (refused.returncode, refused.stdout.decode()) == (1, f"failed     f/r1  {said}\n")
        refused = runwatch("finalize", "r1", *options, cwd=tmp_path)
        assert (refused.returncode, refused.stderr.decode()) == (1, f"runwatch: {said}.\n")
        assert files(run) == before
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def test_a_run_of_another_host_is_neither_crashed_nor_touched(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs", host="elsewhere-7", boot_id=OTHER_BOOT)
    before = files(run)
    done = runwatch("ls", "--json", cwd=tmp_path)
    (row,) = json.loads(done.stdout)
    assert (row["status"], row["live"]) == ("elsewhere", False)
    assert "elsewhere-7" in row["reason"]
    assert runwatch("show", cwd=tmp_path).returncode == 0
    os.utime(run / ".lock")  # it beats
    assert json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)[0]["live"]
    assert files(run) == before


def test_a_stalled_recorder_is_said_and_blocks_no_output(tmp_path: Path) -> None:
    lines = 200_000
    script = f"echo ready; read line; seq 1 {lines}; echo done >&2; read line; exit 5"
    process = start("sh", "-c", script, cwd=tmp_path, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"ready\n"
    run = run_dir(tmp_path)
    recorder = wait_for(lambda: (run / "metrics.json").exists() and recorder_of(run), "the recorder")
    os.kill(recorder, signal.SIGSTOP)
    try:
        process.stdin.write(b"\n")
        process.stdin.flush()
        out = b"".join(process.stdout.readline() for _ in range(lines))
        assert out == b"".join(b"%d\n" % number for number in range(1, lines + 1))
        before = os.stat(run / ".lock").st_mtime
        os.utime(run / ".lock", (before - STALLED_AGO_S, before - STALLED_AGO_S))  # as time would have done
        listed = runwatch("ls", cwd=tmp_path)
        assert b"stalled for 4" in listed.stdout
        (row,) = json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)
        assert row["live"]
        assert row["stalled_s"] >= STALLED_AGO_S
        shown = runwatch("show", cwd=tmp_path)
        assert b"stalled for 4" in shown.stderr
        assert b"output is kept" in shown.stderr
    finally:
        os.kill(recorder, signal.SIGCONT)
    wait_for(lambda: json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)[0]["stalled_s"] is None, "a heartbeat")
    process.stdin.write(b"\n")
    _, _ = process.communicate(timeout=60)
    assert process.returncode == 5
    assert (run / "logs" / "stdout.log").read_bytes() == b"ready\n" + out
    assert read(run, "metadata.json")["exit_code"] == 5


def test_waiting_for_a_dead_run_says_that_it_crashed(tmp_path: Path) -> None:
    dead_run(tmp_path / "runs")
    done = runwatch("wait", "f/r1", cwd=tmp_path)
    assert done.returncode == 1
    assert b"crashed" in done.stderr
    assert b"`runwatch recover`" in done.stderr


def test_nothing_is_recovered_that_its_watchers_may_still_be_at(tmp_path: Path) -> None:
    run = dead_run(tmp_path / "runs")
    os.utime(run / "events.jsonl")
    assert runwatch("show", cwd=tmp_path).returncode == 0
    assert not (run / "finalize.json").exists()
    os.utime(run / "events.jsonl", LONG_AGO)
    assert runwatch("show", cwd=tmp_path).returncode == 0
    assert _has_archive(run)
