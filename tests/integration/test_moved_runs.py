"""A run whose folder, or one above it, is renamed while it is recorded: recorded to its end, and finalized there."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from integration.recorded import RUNWATCH, git, repository, runwatch, wait_for
from runwatch.journal.paths import TRACKED

BEFORE = "echo ::group::before; echo ::endgroup::"
FLUSHED = "until grep -q '\"success\"' runs/f/r1/metrics.json; do sleep 0.02; done 2>/dev/null"
"""What the recorder says of the first step is said."""
AFTER = "echo ::group::after; echo said after"
EMIT = f"{sys.executable} -m runwatch.cli.main emit warning message='who joins later'"
SEEN = "until grep -q '\"after\"' {run}/metrics.json; do sleep 0.02; done"
"""The recorder goes on in the new place while the command runs."""


def _record(place: Path, script: str) -> subprocess.CompletedProcess[bytes]:
    options = ["--headless", "--framework", "f", "--run-id", "r1"]
    return runwatch("run", *options, "--", "sh", "-c", f"{BEFORE}; {FLUSHED}; {script}; exit 3", cwd=place)


def _check(run: Path, done: subprocess.CompletedProcess[bytes]) -> None:
    assert done.returncode == 3, done.stderr
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["reason"]) == ("failed", "exit code 3")
    assert b"said after" in (run / "logs/step_002/stdout.log").read_bytes()
    events = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    assert [event["name"] for event in events if event["type"] == "step.started"] == ["before", "after"]
    assert {event["type"] for event in events}.isdisjoint({"degraded", "recorder.replaced"})
    assert done.stderr.count(b"step 001") == 1, "what was said is not said again"
    assert runwatch("verify", str(run), cwd=run).returncode == 0


@pytest.mark.parametrize(
    ("move", "now", "live"),
    [
        ("mv runs runs2", "place/runs2/f/r1", True),
        ("mv runs/f runs/g", "place/runs/g/r1", False),
        ("mv ../place ../place2", "place2/runs/f/r1", True),
        ("mv runs runs2; mkdir -p runs/f/r1; mv runs2 runs3", "place/runs3/f/r1", False),
    ],
    ids=["the runs folder", "the framework, at the end", "the repository", "twice, and another run in its place"],
)
def test_a_run_that_is_renamed_is_recorded_to_its_end_and_committed_where_it_lies(
    tmp_path: Path, move: str, now: str, live: bool
) -> None:
    place = repository(tmp_path / "place")
    run = tmp_path / now
    done = _record(place, f"{move}; {AFTER}; {EMIT}; {SEEN.format(run=run) if live else ':'}")
    _check(run, done)
    assert b'"message":"who joins later"' in (run / "events.jsonl").read_bytes()
    here = tmp_path / now.partition("/")[0]
    assert git("log", "--format=%s", cwd=here).splitlines()[0] == "runwatch: f/r1 failed"  # its own name
    assert not (run / ".step").exists()
    changed = git("diff", "--name-only", "HEAD~1", "HEAD", cwd=here).split()
    assert changed == sorted(f"{run.relative_to(here)}/{name}" for name in TRACKED)
    assert git("status", "--porcelain", cwd=here) == ""
    assert list((place / "runs/f/r1").glob("*")) == []


@pytest.mark.parametrize("into", ["none", "another"])
def test_a_run_that_is_moved_out_of_its_repository_is_finalized_there_and_not_committed(
    tmp_path: Path, into: str
) -> None:
    place, run = repository(tmp_path / "place"), tmp_path / "out/runs/f/r1"
    run.parents[2].mkdir()
    if into == "another":
        repository(run.parents[2])
    done = _record(place, f"mv runs {tmp_path}/out; {AFTER}")
    _check(run, done)
    said = [line for line in done.stderr.decode().splitlines() if "commit" in line]
    assert said[-1].startswith("runwatch: commit   none")
    if into == "another":
        assert said[0] == (
            "runwatch: the run was moved into another repository and is not committed there: "
            "`runwatch finalize r1 --from commit` does it."
        )
        assert runwatch("finalize", "r1", "--from", "commit", cwd=run.parents[2]).returncode == 0
        assert git("log", "--format=%s", cwd=run).splitlines() == ["runwatch: f/r1 failed", "first"]
    else:
        assert f"{run} lies in no git repository" in said[0]
    assert git("log", "--format=%s", cwd=place) == "first\n"
    assert git("status", "--porcelain", cwd=place) == ""


def test_who_waits_for_a_run_waits_on_when_it_is_renamed_and_who_follows_its_logs_is_told(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo said before; until [ -e {go} ]; do sleep 0.02; done; exit 3"
    options = ["--detach", "--framework", "f", "--run-id", "r1"]
    assert runwatch("run", *options, "--", "sh", "-c", script, cwd=tmp_path).returncode == 0
    both = [
        subprocess.Popen([*RUNWATCH, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for words in (["wait", "r1"], ["logs", "-f", "r1", "--component", "stdout"])
    ]
    waits, follows = both
    try:
        assert follows.stdout is not None
        assert b"said before" in follows.stdout.readline()
        wait_for(lambda: _holds(waits, tmp_path / "runs/f/r1"), "who waits")
        (tmp_path / "runs").rename(tmp_path / "old")
        _, said = follows.communicate(timeout=60)
        where = tmp_path / "old/f/r1"
        told = f"runwatch: {tmp_path}/runs/f/r1 was renamed meanwhile: `runwatch logs -f {where}` follows it.\n"
        assert (follows.returncode, said.decode()) == (1, told)
        assert waits.poll() is None
        go.touch()
        _, said = waits.communicate(timeout=60)
        assert (waits.returncode, said) == (3, b"")
        wait_for(lambda: b'"done": {' in (where / "finalize.json").read_bytes(), "the end")
    finally:
        go.touch()
        for process in both:
            process.kill()
            process.communicate()


def _holds(process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Whether a process has a folder open."""
    found = []
    for fd in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):
            found.append(fd.readlink())
    return folder in found


PROGRAM = """
import os, subprocess, sys, runwatch
run = runwatch.RunLogger(framework="f", run_id="r1")
os.rename("runs", "runs2")
assert run.emit("warning", {"message": "after"})
if EXIT:
    os._exit(3)
with run.step("one"):
    runwatch.get_logger("app", "validator").info("said after")
subprocess.run([sys.executable, "-c", "import runwatch; print(runwatch.RunLogger().path)"], check=True)
print(run.path, flush=True)
run.finalize_run("failed")
"""


@pytest.mark.parametrize("dies", [False, True])
def test_a_run_of_a_program_that_is_renamed_in_its_first_moments_is_found(tmp_path: Path, dies: bool) -> None:
    place = repository(tmp_path / "place")
    script = PROGRAM.replace("EXIT", str(dies))
    done = subprocess.run([sys.executable, "-c", script], cwd=place, capture_output=True, timeout=60, check=False)
    run = place / "runs2/f/r1"
    state = run / "finalize.json"
    wait_for(lambda: state.exists() and "done" in json.loads(state.read_bytes())["stages"], "the guardian")
    status = json.loads((run / "metadata.json").read_bytes())["status"]
    assert (done.returncode, status, done.stderr) == ((3, "crashed", b"") if dies else (0, "failed", b""))
    assert git("log", "--format=%s", cwd=place).splitlines()[0] == f"runwatch: f/r1 {status}"
    assert not (place / "runs").exists()
    if not dies:
        assert done.stdout.decode() == f"{run}\n" * 2, "a child of the program joins there too"
        assert b"said after" in (run / "logs/step_001/validator.log").read_bytes()
