"""A disk that runs full, or becomes read-only, at any point of a run: the command is not disturbed, losses are told.

What must be there is computed from the child's own file of acknowledgements, which lies on another disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integration.recorded import git, repository, run_dir, runwatch, wait_for
from integration.small_disks import Disk, image, quota, tmpfs
from runwatch.finalize import stages
from runwatch.finalize.project import Projector
from runwatch.finalize.state import STAGES, Outcome, load_state
from runwatch.journal.create import create_run
from runwatch.journal.paths import RunPaths
from runwatch.journal.reserve import set_aside
from runwatch.journal.writer import EventWriter
from runwatch.settings import Settings

EMITTED = 120
PAGE_BYTES = 4096
"""What the smallest file takes there."""
PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from integration.small_disks import fill
import runwatch
ack = open({ack!r}, "a", buffering=1)
ballast = Path({ballast!r})
number = 0
def emit(times):
    global number
    for _ in range(times):
        number += 1
        if run.emit("tool.completed", {{"tool": "t", "call_id": str(number), "success": True}}):
            ack.write(f"{{number}}\\n")
"""
WORK = {
    "in a step": """
emit(40)
with run.step('s'):
    emit(20); fill(ballast); emit(20); ballast.unlink(); emit(20)
emit(20)""",
    "to the end": """
emit(40)
with run.step('s'):
    emit(20); fill(ballast); emit(60)""",
    "from the start": "fill(ballast); emit(100); ballast.unlink(); emit(20)",
    "from start to end": "fill(ballast); emit(120)",
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with tmpfs(tmp_path / "small", "size=4m") as mounted:
        yield mounted


class Child:
    """A program that emits, and notes what was acknowledged; and what it left."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder, self.disk, self.ack = folder, disk, folder / "ack"
        self.path = folder / "program.py"
        self.ack.touch()

    def write(self, work: str, end: str, *, own: bool) -> list[str]:
        """Write the program; return the words that start it."""
        tests = str(Path(__file__).parents[1])
        head = PROGRAM.format(tests=tests, ack=str(self.ack), ballast=str(self.disk.ballast))
        made = f"runwatch.RunLogger(runs_dir={str(self.disk.path / 'runs')!r})" if own else "runwatch.current_run()"
        self.path.write_text(f"{head}run = {made}\n{work}\nprint('all is well')\n{end}\n")
        return [sys.executable, str(self.path)]

    @property
    def acknowledged(self) -> list[str]:
        """Numbers of the events that the program was told are recorded."""
        return self.ack.read_text().split()

    @property
    def dir(self) -> Path:
        """The run."""
        return run_dir(self.disk.path)

    def finalize(self) -> None:
        """Give the disk its room back and finalize, as the closing lines say."""
        self.disk.free()
        runwatch("finalize", "--runs-dir", str(self.disk.path / "runs"), cwd=self.folder)

    def check(self, status: str, *, emitted: int = EMITTED) -> list[dict[str, Any]]:
        """Compare journal, archive, metrics and summary with what the program knows; return the journal's events."""
        raw = (self.dir / "events.jsonl").read_bytes()
        events = [event for line in raw.splitlines() if (event := _event(line)) is not None]
        known = [event["call_id"] for event in events if event["type"] == "tool.completed"]
        assert len(known) == len(set(known))
        assert set(self.acknowledged) <= set(known)
        assert [event["type"] for event in events].count("run.completed") == 1
        with tarfile.open(self.dir / "run.tar.gz") as archive:
            member = archive.extractfile(f"{self.dir.name}/events.jsonl") or archive.extractfile("events.jsonl")
            assert member is not None
            assert member.read() == raw
        metadata, metrics = (json.loads((self.dir / name).read_bytes()) for name in ("metadata.json", "metrics.json"))
        assert metadata["status"] == status
        lost = emitted - len(self.acknowledged)
        assert lost > 0
        assert _lost_by(events, writer_of(events)) == lost
        assert metrics["journal"]["dropped"] >= lost  # samples of runwatch's own are counted too
        assert (
            f"degraded: {metrics['journal']['dropped']} events dropped" in (self.dir / "logs_summary.txt").read_text()
        )
        stages_ = json.loads((self.dir / "finalize.json").read_bytes())["stages"]
        assert {name for name, stage in stages_.items() if not stage["done"]} <= {"commit"}  # no repository
        assert not [path.name for path in self.dir.iterdir() if path.name in (".reserve", ".losses")]
        return events


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def writer_of(events: list[dict[str, Any]]) -> str:
    """The writer of the program's events; of one that never got any through, the one that others tell of."""
    own = [event["writer"] for event in events if event["type"] == "tool.completed"]
    told = [event for event in events if event["type"] == "degraded" and event.get("of")]
    return str(own[0] if own else max(told, key=lambda event: event["dropped"])["of"])


def _lost_by(events: list[dict[str, Any]], writer: str) -> int:
    """What one writer lost, of all that was said of it; its steps are events too."""
    told = [event for event in events if event["type"] == "degraded" and event.get("of", event["writer"]) == writer]
    steps = 2 - sum(
        event["type"] in ("step.started", "step.completed") for event in events if event["writer"] == writer
    )
    return max((int(event["dropped"]) for event in told), default=0) - (
        steps if "step.started" in _types(events) else 0
    )


def _types(events: list[dict[str, Any]]) -> set[str]:
    return {str(event["type"]) for event in events}


@pytest.mark.parametrize("work", WORK)
def test_a_command_on_a_disk_that_is_full_is_not_disturbed_and_every_loss_is_told(
    tmp_path: Path, disk: Disk, work: str
) -> None:
    child = Child(tmp_path, disk)
    command = child.write(WORK[work], "sys.exit(7)", own=False)
    done = runwatch("run", "--headless", "--runs-dir", str(disk.path / "runs"), "--", *command, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (7, b"all is well\n"), done.stderr
    assert b"degraded: " in done.stderr
    assert b"Traceback" not in done.stderr
    state = load_state(child.dir / "finalize.json")
    assert state.outcome is not None
    assert (state.outcome.status, state.outcome.exit_code) == ("failed", 7)
    child.finalize()
    child.check("failed", emitted=120)


def test_a_quota_that_is_used_up_on_a_disk_that_copies_on_write_takes_no_count_away(tmp_path: Path) -> None:
    """Even what was set aside cannot be rewritten there."""
    with quota(tmp_path) as disk:
        child = Child(tmp_path, disk)
        command = child.write(WORK["to the end"], "sys.exit(7)", own=False)
        done = runwatch("run", "--headless", "--runs-dir", str(disk.path / "runs"), "--", *command, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (7, b"all is well\n"), done.stderr
        assert b"Disk quota exceeded" in done.stderr
        assert b"Traceback" not in done.stderr
        child.finalize()
        child.check("failed")
        assert b"degraded: " in done.stderr


@pytest.mark.parametrize("work", WORK)
def test_a_program_alone_on_a_full_disk_says_it_once_and_counts(tmp_path: Path, disk: Disk, work: str) -> None:
    child = Child(tmp_path, disk)
    command = child.write(WORK[work], "sys.exit(7)", own=True)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (7, "all is well\n"), done.stderr
    lines = [line for line in done.stderr.splitlines() if "in no git repository" not in line]
    assert len([line for line in lines if "cannot be written" in line]) == 1, lines
    assert len(lines) <= 3, "the trouble, what is left to do, and what was lost"
    assert lines[-1].startswith("runwatch: degraded: ")
    assert load_state(child.dir / "finalize.json").outcome is not None
    child.finalize()
    child.check("completed")  # of a program alone nobody can tell the exit code


def test_what_a_killed_program_lost_is_told_by_the_one_that_finalizes(tmp_path: Path, disk: Disk) -> None:
    child = Child(tmp_path, disk)
    command = child.write("emit(40); fill(ballast); emit(80)", "os.kill(os.getpid(), signal.SIGKILL)", own=True)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_for(lambda: "done" in load_state(child.dir / "finalize.json").stages, "the guardian's try")
    child.finalize()
    child.check("crashed")


def test_a_disk_that_is_full_before_the_run_begins_leaves_nothing_but_a_sentence(tmp_path: Path, disk: Disk) -> None:
    disk.fill()
    script = "echo out; echo err >&2; exit 5"
    done = runwatch("run", "--runs-dir", str(disk.path / "runs"), "--", "sh", "-c", script, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (5, b"out\n")
    assert done.stderr.startswith(b"runwatch: not recorded: ")
    assert b"--runs-dir" in done.stderr
    assert done.stderr.endswith(b"err\n")
    assert list(disk.path.glob("runs/*/*")) == []

    child = Child(tmp_path, disk)
    program = child.write("emit(5)", "sys.exit(7)", own=True)
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (7, b"all is well\n")
    assert done.stderr.count(b"runwatch: ") == 1
    assert child.acknowledged == []
    assert list(disk.path.glob("runs/*/*")) == []


def test_a_program_that_starts_on_a_full_disk_writes_its_first_line_when_there_is_room(
    tmp_path: Path, disk: Disk
) -> None:
    child = Child(tmp_path, disk)
    command = child.write("emit(50); ballast.unlink(); emit(70)", "sys.exit(0)", own=True)
    disk.fill()
    os.truncate(disk.ballast, disk.ballast.stat().st_size - 2 * PAGE_BYTES)  # for two ignore files
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stderr
    wait_for(lambda: "done" in load_state(child.dir / "finalize.json").stages, "the finalizer")
    events = [json.loads(line) for line in (child.dir / "events.jsonl").read_bytes().splitlines()]
    assert [event["type"] for event in events[:2]] == ["run.started", "tool.completed"]
    assert len(child.acknowledged) == 70
    assert [event["dropped"] for event in events if event["type"] == "degraded"] == [50]
    assert json.loads((child.dir / "metadata.json").read_bytes())["status"] == "completed"


def test_output_that_reached_no_log_is_counted_to_the_byte(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "size=1m") as disk:
        script = "for i in 1 2 3 4 5 6 7 8 9 10; do head -c 400000 /dev/zero | tr '\\0' x; done; exit 3"
        done = runwatch("run", "--runs-dir", str(disk.path / "runs"), "--", "sh", "-c", script, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (3, b"x" * 4_000_000)
        assert b"of output not logged" in done.stderr
        run = run_dir(disk.path)
        logged = (run / "logs" / "stdout.log").stat().st_size
        subprocess.run(["mount", "-o", "remount,size=20m", disk.path], check=True)
        runwatch("finalize", "--runs-dir", str(disk.path / "runs"), cwd=tmp_path)
        metrics = json.loads((run / "metrics.json").read_bytes())
        assert metrics["journal"]["lost_output_bytes"] == 4_000_000 - logged
        assert metrics["journal"]["dropped_since"] > metrics["run"]["start_time"]
        assert "of output not logged since" in (run / "summary.md").read_text()


@pytest.mark.parametrize("again", ["after that stage", "after the last"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_runs_full_in_a_stage_keeps_the_status_and_lets_the_run_be_finalized_later(
    tmp_path: Path, disk: Disk, stage: str, again: str
) -> None:
    repository(disk.path / "work")
    (disk.path / "work" / ".gitignore").write_text("/.gitignore\n")
    paths = _ended_run(disk.path / "work" / "runs")
    outcome = Outcome(status="failed", exit_code=9, reason="exit code 9", ended="2026-11-21T10:00:09.000000Z")

    def on_stage(name: str, done: float) -> None:
        if name == stage and not done:
            disk.fill()
        elif name == stage and again == "after that stage":
            disk.free()

    first = stages.Finalizer(paths, Settings(), outcome=outcome, on_stage=on_stage, environ={}).run()
    on_disk = load_state(paths.finalize_state)
    assert on_disk.outcome == outcome
    if on_disk.archive is not None:  # nothing says "archived" that is not
        assert (paths.root / on_disk.archive.file).stat().st_size == on_disk.archive.size_bytes
    disk.free()
    if not first.complete:
        assert any("is full" in (each.error or "") for each in first.stages.values())
    state = stages.Finalizer(paths, Settings(), environ={}).run()
    assert {name: each.error for name, each in state.stages.items() if not each.done} == {}
    assert state.complete
    lines = paths.journal.read_bytes().splitlines()
    assert [json.loads(line)["type"] for line in lines].count("run.completed") == 1
    assert json.loads((paths.metadata).read_bytes())["exit_code"] == 9
    assert "is full" not in paths.summary_text.read_text()
    assert git("rev-list", "--count", "HEAD", cwd=disk.path / "work") == "2\n", "the first one, and one of the run"
    committed = git("log", "--format=", "--name-only", cwd=disk.path / "work").split()
    assert sorted(set(committed)) == sorted(
        ["a.txt", *(f"runs/f/{paths.run_id}/{name}" for name in _TRACKED)]
    )  # fmt: skip
    rows = (paths.root.parent.parent / "csv" / "runs.csv").read_text().splitlines()
    assert len([row for row in rows if row.startswith(paths.run_id)]) == 1


def test_the_final_status_stands_even_beside_a_program_that_takes_every_byte_that_is_freed(
    tmp_path: Path, disk: Disk
) -> None:
    paths = _ended_run(disk.path / "runs")
    outcome = Outcome(status="interrupted", signal="SIGTERM", reason="killed by SIGTERM", ended="2026-11-21T10:00:09Z")
    found = []

    def on_stage(name: str, done: float) -> None:
        disk.fill()
        found.append(load_state(paths.finalize_state).outcome)

    disk.fill()
    stages.Finalizer(paths, Settings(), outcome=outcome, on_stage=on_stage, environ={}).run()
    assert found == [outcome] * 2 * len(STAGES), "from before the first stage on"
    assert not paths.archive.exists()
    disk.free()
    stages.Finalizer(paths, Settings(), environ={}).run()
    assert json.loads(paths.metadata.read_bytes())["status"] == "interrupted"
    assert paths.archive.is_file()


def test_lines_that_a_full_disk_kept_from_the_logs_are_projected_when_there_is_room(tmp_path: Path, disk: Disk) -> None:
    paths = _ended_run(disk.path / "runs")
    writer = EventWriter(paths)
    for number in range(100):
        assert writer.emit("tool.completed", step=1, tool=f"tool-{number}", success=True)
    lines = paths.journal.read_bytes().splitlines()
    projector, position = Projector(paths), 0
    for number, line in enumerate(lines):
        if number == 10:
            disk.fill()
            os.truncate(disk.ballast, disk.ballast.stat().st_size - PAGE_BYTES)  # so that one line is torn
        position += len(line) + 1
        projector.take(line, position)
    assert projector.catch_up() is not None
    disk.free()
    assert projector.catch_up() is None
    shown = [
        event["msg"]
        for log in paths.logs.rglob("*.log")
        for line in log.read_bytes().splitlines()
        if (event := _event(line)) is not None and event.get("event") == "tool.completed"
    ]
    assert len(shown) == 100
    assert all(sum(f"tool-{number} " in f"{text} " for text in shown) == 1 for number in range(100))


_TRACKED = ("metadata.json", "metrics.json", "commit.txt", "logs_summary.txt", "summary.md")


def _ended_run(root: Path) -> RunPaths:
    """A run with a step and an error, whose processes are gone."""
    paths = create_run(root, "f", now=datetime.now(UTC))
    set_aside(paths)
    writer = EventWriter(paths)
    assert writer.emit("run.started", framework="f", run_id=paths.run_id, cwd="/", host="h", boot_id="b", versions={})
    assert writer.emit("step.started", step=1, name="one")
    assert writer.emit("error", step=1, error_type="ValueError", message="x" * 3000)
    writer.close()
    return paths


def test_a_survivor_is_never_told_that_what_it_emits_after_the_seal_is_recorded(tmp_path: Path) -> None:
    ack, stop = tmp_path / "ack", tmp_path / "stop"
    survivor = f"""
import os, time
from pathlib import Path
import runwatch
run, number = runwatch.current_run(), 0
with open({str(ack)!r}, "w", buffering=1) as ack:
    while not Path({str(stop)!r}).exists():
        number += 1
        ack.write(f"{{number}} {{run.emit('tool.completed', {{'tool': 't', 'call_id': str(number)}})}}\\n")
        time.sleep(0.0005)
"""
    (tmp_path / "survivor.py").write_text(survivor)
    script = f"{sys.executable} survivor.py >/dev/null 2>err & while [ ! -s ack ]; do sleep 0.05; done; sleep 0.3"
    try:
        done = runwatch("run", "--headless", "--", "sh", "-c", script, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        wait_for(lambda: ack.read_text().endswith("False\n"), "an event that is not acknowledged")
    finally:
        stop.touch()
    run = run_dir(tmp_path)
    wait_for(lambda: (tmp_path / "err").read_text().count("runwatch: ") == 1, "one line about it")
    lines = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    seal = next(at for at, event in enumerate(lines) if event["type"] == "run.completed")
    before = {event["call_id"] for event in lines[:seal] if event["type"] == "tool.completed"}
    said = [line.split() for line in ack.read_text().splitlines()]
    acknowledged = {number for number, told in said if told == "True"}
    assert acknowledged
    assert acknowledged <= before
    assert len(lines) > seal + 1, "its later lines stay in the file"
    metrics = json.loads((run / "metrics.json").read_bytes())
    assert metrics["tools"][0]["calls"] == len(before)


def test_a_disk_that_fails_in_the_middle_costs_what_was_not_synced_and_no_exit_code(tmp_path: Path) -> None:
    with image(tmp_path) as disk:
        flag, go = tmp_path / "flag", tmp_path / "go"
        script = f"echo one; touch {flag}; while [ ! -e {go} ]; do sleep 0.02; done; echo two; exit 6"
        runs = str(disk.path / "runs")
        command = [sys.executable, "-m", "runwatch.cli.main", "run", "--headless", "--runs-dir", runs, "--run-id", "r"]
        process = subprocess.Popen(
            [*command, "--", "sh", "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            wait_for(flag.exists, "the command")
            live = {"RUNWATCH_RUN_DIR": f"{runs}/default/r"}
            assert runwatch("emit", "error", "message=before", cwd=tmp_path, env=live).returncode == 0
            wait_for((disk.path / "runs/default/r/metadata.json").exists, "the recorder")
            disk.fail()
            assert runwatch("emit", "error", "message=after", cwd=tmp_path, env=live).returncode != 0
            go.touch()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        assert (process.returncode, out) == (6, b"one\ntwo\n")
        assert b"Traceback" not in err
        assert b"read-only" in err.lower()
        disk.repair()
        runwatch("finalize", "--runs-dir", runs, cwd=tmp_path)
        run = disk.path / "runs" / "default" / "r"
        messages = [json.loads(line).get("message") for line in (run / "events.jsonl").read_bytes().splitlines()]
        assert "before" in messages
        metadata = json.loads((run / "metadata.json").read_bytes())
        assert (metadata["status"], metadata["exit_code"]) == ("failed", 6)  # kept in memory meanwhile
        assert not list(Path("/dev/shm").glob(f"runwatch-{os.geteuid()}-*-r"))
        assert (run / "run.tar.gz").is_file()


@pytest.mark.parametrize("inodes", [6, 9, 12, 16])
def test_a_disk_without_inodes_disturbs_no_command(tmp_path: Path, inodes: int) -> None:
    with tmpfs(tmp_path / "small", f"size=4m,nr_inodes={inodes}") as disk:
        done = runwatch(
            "run", "--runs-dir", str(disk.path / "runs"), "--", "sh", "-c", "echo out; exit 5", cwd=tmp_path
        )
        assert (done.returncode, done.stdout) == (5, b"out\n")
        assert b"Traceback" not in done.stderr
        assert os.path.isdir(disk.path)
