"""Supervisor, recorder and command as /proc shows them, and what the death of each costs."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import promises
from integration.recorded import record, repository, run_dir, runwatch, start, wait_for
from integration.sdk_programs import Program

MIB = 1 << 20
PINNED = {
    "runwatch", "runwatch.errors", "runwatch.events", "runwatch.events.bounds", "runwatch.events.calls",
    "runwatch.events.codec", "runwatch.events.envelope", "runwatch.events.lifecycle", "runwatch.events.measures",
    "runwatch.events.notices", "runwatch.events.work", "runwatch.finalize", "runwatch.finalize.state",
    "runwatch.journal",
    "runwatch.journal.append", "runwatch.journal.atomic", "runwatch.journal.beneath",
    "runwatch.journal.descriptors", "runwatch.journal.discard", "runwatch.journal.held",
    "runwatch.journal.lock", "runwatch.journal.losses", "runwatch.journal.modes", "runwatch.journal.output_index",
    "runwatch.journal.paths", "runwatch.journal.process_mark", "runwatch.journal.reserve", "runwatch.journal.spare",
    "runwatch.journal.step_at_hand", "runwatch.journal.writer", "runwatch.record", "runwatch.record.capture",
    "runwatch.record.config", "runwatch.record.control", "runwatch.record.farewell", "runwatch.record.finalizing",
    "runwatch.record.keeper", "runwatch.record.limits", "runwatch.record.memory", "runwatch.record.outcome",
    "runwatch.record.spawn", "runwatch.record.stand_in", "runwatch.record.step_log", "runwatch.record.step_switch",
    "runwatch.record.steps", "runwatch.record.stopping", "runwatch.record.stream", "runwatch.record.supervisor",
    "runwatch.record.unrecorded",
    "runwatch.sources", "runwatch.sources.markers",
}  # fmt: skip
FOREIGN = {"msgspec", "typing_extensions"}
"""What is not of the standard library."""


def _children(pid: int) -> list[int]:
    """Return the children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has just ended
        return []


def _recorder(supervisor: int) -> int | None:
    return next((pid for pid in _children(supervisor) if "runwatch.record.recorder" in _words(pid)), None)


def _resident(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) * 1024


def test_the_commands_parent_is_the_supervisor_which_is_the_process_that_was_started(tmp_path: Path) -> None:
    process = start("sh", "-c", "echo $PPID; read line", cwd=tmp_path, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert int(process.stdout.readline()) == process.pid
    assert "runwatch.record.supervisor" in _words(process.pid)
    process.communicate(b"\n", timeout=60)


def test_the_supervisor_imports_nothing_beyond_its_pinned_list() -> None:
    loaded = _modules("import runwatch.record.supervisor")
    assert {name for name in loaded if name.split(".")[0] == "runwatch"} == PINNED
    # Editable installs and coverage leave hooks in every interpreter of their environment.
    strange = {name.split(".")[0] for name in loaded - _modules("pass")} - set(sys.stdlib_module_names)
    assert strange == FOREIGN | {"runwatch"}


def _modules(program: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after a program."""
    script = f"import sys; {program}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_supervisor_takes_at_most_ten_mebibytes_more_than_a_bare_interpreter(tmp_path: Path) -> None:
    process = start("cat", cwd=tmp_path, stdin=subprocess.PIPE)
    bare = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(b"x\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"x\n"
    wait_for(lambda: _recorder(process.pid), "the recorder")
    wait_for(lambda: "wait" in Path(f"/proc/{bare.pid}/wchan").read_text() or _resident(bare.pid) > 7 * MIB, "Python")
    assert _resident(process.pid) - _resident(bare.pid) <= 10 * MIB
    bare.communicate(b"\n", timeout=60)
    process.communicate(timeout=60)


def test_a_killed_recorder_costs_the_command_nothing_and_another_one_takes_over(tmp_path: Path) -> None:
    script = "echo ::group::one; for i in 1 2 3; do echo $i; done; read line; echo ::endgroup::; echo after; exit 4"
    process = start("sh", "-c", script, cwd=tmp_path, stdin=subprocess.PIPE)
    first = wait_for(lambda: _recorder(process.pid), "the recorder")
    wait_for(lambda: list(tmp_path.glob("runs/*/*/metrics.json")), "the first flush")
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: (pid := _recorder(process.pid)) != first and pid, "another recorder")
    assert second != first
    out, err = process.communicate(b"\n", timeout=60)
    assert out == b"::group::one\n1\n2\n3\n::endgroup::\nafter\n"
    assert process.returncode == 4
    run = run_dir(tmp_path)
    events = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    replaced = [event["reason"] for event in events if event["type"] == "recorder.replaced"]
    assert replaced == ["killed by SIGKILL"]
    assert events[-1]["type"] == "run.completed"
    lines = (run / "logs" / "step_001" / "orchestrator.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["step.started", "step.completed"]
    assert b"replaced" in err


def test_a_killed_supervisor_ends_the_command_and_the_run_is_crashed_and_complete(tmp_path: Path) -> None:
    repository(tmp_path)
    process = start("sh", "-c", "echo $$; exec sleep 600", cwd=tmp_path)
    assert process.stdout is not None
    command = int(process.stdout.readline())
    wait_for(lambda: _recorder(process.pid), "the recorder")
    run = run_dir(tmp_path)
    wait_for(lambda: (run / "metadata.json").exists(), "the first flush")
    process.kill()
    process.communicate(timeout=60)
    wait_for(lambda: not Path(f"/proc/{command}").exists(), "the command's end")
    state = wait_for(lambda: _finalized(run), "the finalizer")
    assert state["commit"] is not None
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["exit_code"], metadata["signal"]) == ("crashed", None, None)


def _finalized(run: Path) -> dict[str, object] | None:
    """Return finalize.json once its last stage is done."""
    try:
        state = json.loads((run / "finalize.json").read_bytes())
    except (OSError, ValueError):
        return None
    return state if state["stages"].get("done", {}).get("done") else None


def test_nothing_of_runwatch_is_left_behind_by_a_run(tmp_path: Path) -> None:
    run = record("true", cwd=tmp_path)
    name = str(run.dir)
    left = [pid for path in Path("/proc").glob("[0-9]*") if name in " ".join(_words(pid := int(path.name)))]
    assert left == []
    assert not (run.dir / "control.sock").exists()
    assert [path for path in run.dir.rglob("*") if path.suffix in (".tmp", ".part")] == []


def _wake_ups(pid: int) -> int:
    """Return how often the threads of a process went to sleep until now: once more than they were woken."""
    found = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        found += int(status.read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return found


def _sleeps(pid: int) -> bool:
    """Whether a process wakes up no more, once what it had begun is done: a second without any is enough."""
    before = _wake_ups(pid)
    time.sleep(1.0)
    return _wake_ups(pid) == before


def test_the_supervisor_is_not_woken_while_nothing_happens(tmp_path: Path) -> None:
    process = start("sh", "-c", "echo ready; read line", cwd=tmp_path, stdin=subprocess.PIPE)
    wait_for(lambda: list(tmp_path.glob("runs/*/*/metadata.json")), "the first flush")
    wait_for(lambda: _sleeps(process.pid), "a second of sleep")
    before = _wake_ups(process.pid)
    time.sleep(2.0)  # not a condition: nothing must happen in it
    assert _wake_ups(process.pid) == before
    process.communicate(b"\n", timeout=60)


def test_a_guardian_is_small_and_asleep_and_gone_with_its_run(tmp_path: Path) -> None:
    program = Program(
        tmp_path, "with runwatch.RunLogger():\n    print('ready', flush=True)\n    sys.stdin.readline()\n"
    )
    with program.start(stdin=subprocess.PIPE) as process:
        (guardian,) = wait_for(lambda: _named("runwatch.record.guardian", program.dir), "the guardian")
        wait_for(lambda: _named("runwatch.record.recorder", program.dir), "the recorder")
        bare = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        wait_for(lambda: _resident(bare.pid) > 7 * MIB, "Python")
        wait_for(lambda: _sleeps(guardian), "a second of sleep")
        before = _wake_ups(guardian)
        time.sleep(2.0)  # not a condition: nothing must happen in it
        assert _wake_ups(guardian) == before
        assert _resident(guardian) - _resident(bare.pid) <= 10 * MIB
        bare.communicate(b"\n", timeout=60)
        process.communicate("\n", timeout=60)
    program.finalized()
    wait_for(lambda: not _named("runwatch.record", program.dir), "the end of both")


def _named(module: str, run: Path) -> list[int]:
    """Return the processes of a module that name a run."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [
        pid for pid in pids if str(run) in (words := _words(pid)) and any(word.startswith(module) for word in words)
    ]


def test_many_runs_leave_no_process_descriptor_thread_lock_socket_or_file(tmp_path: Path) -> None:
    repository(tmp_path)
    code = """
    import threading

    def state():
        return sorted(os.listdir("/proc/self/fd")), threading.active_count(), signal.getsignal(signal.SIGTERM)

    with runwatch.RunLogger(run_id="first") as run:  # what is loaded once stays
        run.emit("error", {"message": "x"})
        runwatch.get_logger("app").info("x")
    before = state()
    for number in range(12):
        with runwatch.RunLogger(run_id=f"sdk-{number}", guard=number % 6 == 0) as run, run.step("one"):
            run.emit("error", {"message": "x"})
            runwatch.get_logger("app").info("x")
    assert state() == before, (before, state())
    """
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 0, done.stderr
    for number in range(3):
        assert runwatch("run", "--run-id", f"cli-{number}", "--", "true", cwd=tmp_path).returncode == 0
    runs = [path.parent for path in tmp_path.glob("runs/default/*/finalize.json")]
    assert len(runs) == 16
    wait_for(lambda: not [pid for run in runs for pid, _ in promises.processes(run)], "the end of all")
    assert [fault for run in runs for fault in promises.left_over(run)] == []
    for run in runs:
        with (run / ".lock").open("r+") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    rows = (tmp_path / "runs" / "csv" / "runs.csv").read_text().splitlines()
    assert len(rows) == len({row.split(",")[0] for row in rows}) == 17
    commits = promises.git("log", "--format=%s", cwd=tmp_path).splitlines()
    assert len(commits) == len(set(commits)) == 17
