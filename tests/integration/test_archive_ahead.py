"""A real run whose closed step is archived while the next one goes on, whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import psutil

from integration.recorded import PATIENCE_S, RUNWATCH, record, repository, runwatch, wait_for
from runwatch.finalize import archive_ledger
from runwatch.finalize.archive_read import read_listing
from runwatch.finalize.archive_verify import verify
from runwatch.journal.lock import Role, holders

COMMAND = """
import sys, time, pathlib
line = "a line of the first step, which is long enough to be worth the work %d\\n"
print("::group::first", flush=True)
sys.stdout.writelines(line % number for number in range(140_000))
print("::endgroup::\\n::group::second", flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.02)
print("the end")
"""
STEP = "logs/step_001/stdout.log"


def taken(run: Path) -> bool:
    """Whether the first step's log is in."""
    path = run / archive_ledger.NAME
    return path.is_file() and f'"name":"{STEP}"'.encode() in path.read_bytes()


def helper(recorder: int) -> int | None:
    """The pid of a recorder's helper."""
    children = psutil.Process(recorder).children()
    return next((child.pid for child in children if "runwatch.record.ahead_process" in child.cmdline()), None)


def test_a_closed_step_is_archived_ahead_by_a_helper_that_dies_with_its_recorder(tmp_path: Path) -> None:
    argv = [*RUNWATCH, "run", "--headless", "--", sys.executable, "-c", COMMAND]
    process = subprocess.Popen(argv, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        run = wait_for(lambda: next(tmp_path.glob("runs/*/*/.lock"), None), "the run").parent
        recorder = wait_for(lambda: holders(run / ".lock").get(Role.RECORDER), "its recorder")
        first = wait_for(lambda: helper(recorder), "its helper")
        wait_for(lambda: psutil.Process(first).nice() == 19, "its low priority")
        os.kill(recorder, signal.SIGKILL)
        wait_for(lambda: not psutil.pid_exists(first) or psutil.Process(first).status() == "zombie", "its helper's end")
        another = wait_for(lambda: holders(run / ".lock").get(Role.RECORDER), "another recorder")
        second = wait_for(lambda: helper(another), "its helper")
        wait_for(lambda: taken(run), "the first step in the archive in the making")
        (tmp_path / "go").touch()
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert not psutil.pid_exists(second)
    assert sorted(path.name for path in run.iterdir() if path.name.startswith("run.tar.gz")) == ["run.tar.gz"]
    verify(run / "run.tar.gz")
    first_name = read_listing(run / "run.tar.gz").manifest.members[0].name
    assert first_name.startswith("logs/step_001/")  # made at the end, the files stand by name
    with tarfile.open(run / "run.tar.gz", "r|gz") as tar:
        content = next(tar.extractfile(info) for info in tar if info.name.endswith(STEP))
        assert content is not None
        assert content.read() == (run / STEP).read_bytes()


ROTATED = """
print("::group::one")
for number in range(30_000):
    print(f"line {number} of a log that goes on in the next file")
raise SystemExit(3)
"""


def test_logs_that_rotate_are_shown_as_one_and_archived_and_the_raw_ones_go(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "runwatch.toml").write_text(
        '[capture]\nmax_file_bytes = "200 KiB"\n[retention]\nraw = "after_verify"\n', encoding="utf-8"
    )
    recorded = record(sys.executable, "-c", ROTATED, cwd=tmp_path)
    assert recorded.done.returncode == 3
    assert not (recorded.dir / "logs").exists()
    assert verify(recorded.dir / "run.tar.gz").members > 5
    parts = [
        entry.name for entry in read_listing(recorded.dir / "run.tar.gz").manifest.members if "stdout" in entry.name
    ]
    assert {"logs/step_001/stdout.log", "logs/step_001/stdout.1.log", "logs/step_001/stdout.2.log"} <= set(parts)
    shown = runwatch("logs", "--component", "stdout", cwd=tmp_path).stdout.decode().splitlines()
    numbers = [int(line.split(" line ")[1].split()[0]) for line in shown if " line " in line]
    assert numbers == list(range(30_000))
    summary = (recorded.dir / "summary.md").read_text(encoding="utf-8")
    assert "line 29999 of a log" in summary
    assert "line 29981 of a log" in summary
    kept = (recorded.dir / "run.tar.gz").read_bytes()
    again = runwatch("finalize", "--from", "archive", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (recorded.dir / "run.tar.gz").read_bytes() == kept
    assert "line 29981 of a log" in (recorded.dir / "summary.md").read_text(encoding="utf-8")
