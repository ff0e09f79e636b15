"""A program that records itself: every ending leaves a finalized run with the right status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.recorded import git, repository, wait_for
from integration.sdk_programs import Program

WORK = """
with runwatch.RunLogger(framework="alone") as run:
    log = runwatch.get_logger("app")
    with run.step("work"):
        log.info("working")
        for number in range(50):
            assert run.emit("tool.completed", {"tool": "t", "duration_s": 0.001, "call_id": str(number)})
    print("ready", flush=True)
"""

ENDINGS = {
    "the block ends": ("pass", 0, "completed", None),
    "sys.exit(0)": ("sys.exit(0)", 0, "completed", None),
    "sys.exit(3)": ("sys.exit(3)", 3, "failed", "exit code 3"),
    "sys.exit(text)": ("sys.exit('no input')", 1, "failed", "no input"),
    "an exception": ("raise ValueError('bad input')", 1, "failed", "ValueError: bad input"),
    "Ctrl-C": (
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)",
        -signal.SIGINT,
        "interrupted",
        "KeyboardInterrupt",
    ),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -signal.SIGTERM, "interrupted", "SIGTERM"),
    "SIGHUP": ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(60)", -signal.SIGHUP, "interrupted", "SIGHUP"),
    "SIGQUIT": ("os.kill(os.getpid(), signal.SIGQUIT); time.sleep(60)", -signal.SIGQUIT, "crashed", "goodbye"),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "crashed", "goodbye"),
    "os._exit(4)": ("os._exit(4)", 4, "crashed", "goodbye"),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_however_the_program_ends_its_run_is_finalized(how: str, tmp_path: Path) -> None:
    code, exit_code, status, reason = ENDINGS[how]
    program = Program(tmp_path, WORK + f"    {code}\n")
    done = program.run()
    assert done.returncode == exit_code, done.stderr
    metadata = program.finalized()
    assert (metadata["status"], metadata["exit_code"]) == (status, None)
    assert reason is None or reason in metadata["reason"]
    assert len(program.events("tool.completed")) == 50
    assert program.json("metrics.json")["tools"][0]["calls"] == 50
    assert (program.dir / "logs" / "step_001" / "orchestrator.log").read_text().count('"working"') == 1
    for name in ("logs_summary.txt", "summary.md", "commit.txt", "run.tar.gz"):
        assert (program.dir / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("code", "exit_code", "status"),
    [
        ("run.emit('error', {'message': 'x'})", 0, "completed"),
        ("raise ValueError('late')", 1, "failed"),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -signal.SIGINT, "interrupted"),
        ("run.finalize_run('resolved'); run.finalize_run('failed')", 0, "resolved"),
    ],
)
def test_without_a_block_the_interpreters_exit_ends_the_run(
    code: str, exit_code: int, status: str, tmp_path: Path
) -> None:
    program = Program(tmp_path, f"run = runwatch.RunLogger()\n{code}\n")
    done = program.run()
    assert done.returncode == exit_code, done.stderr
    assert program.finalized()["status"] == status


def test_a_step_that_was_open_at_the_end_does_not_stay_open(tmp_path: Path) -> None:
    code = "run = runwatch.RunLogger()\nwith run.step('half'):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    program = Program(tmp_path, code)
    program.run()
    program.finalized()
    assert program.json("metrics.json")["steps"][0]["status"] == "interrupted"


def test_an_uncaught_exception_is_one_error_with_its_place(tmp_path: Path) -> None:
    code = "with runwatch.RunLogger() as run:\n    with run.step('one'):\n        raise ValueError('bad')\n"
    program = Program(tmp_path, code)
    assert "ValueError: bad" in program.run().stderr, "the program's own traceback stays"
    program.finalized()
    (error,) = program.events("error")
    assert (error["message"], error["step"]) == ("bad", 1)
    assert error["where"].startswith("program.py:")


def test_the_summaries_are_committed_and_the_users_work_is_as_before(tmp_path: Path) -> None:
    repository(tmp_path)
    program = Program(tmp_path, WORK)
    (tmp_path / "a.txt").write_text("changed\n")
    before = git("status", "--porcelain", cwd=tmp_path)
    assert program.run().stderr == ""
    assert git("status", "--porcelain", cwd=tmp_path) == before
    changed = git("show", "--name-only", "--format=%s", "HEAD", cwd=tmp_path).split("\n")
    assert changed[0].startswith("runwatch: alone/")
    assert len([line for line in changed[1:] if line]) == 5


def test_handlers_of_the_program_stay_and_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    code = """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with runwatch.RunLogger() as run:
        print("ready", flush=True)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    """
    program = Program(tmp_path, code)
    assert program.run().returncode == 7
    assert program.finalized()["reason"] == "exit code 7"


def test_after_the_end_the_signals_are_as_they_were(tmp_path: Path) -> None:
    code = """
    run = runwatch.RunLogger()
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    run.finalize_run()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    """
    assert Program(tmp_path, code).run().returncode == 0


def test_without_a_guard_the_program_finalizes_by_itself(tmp_path: Path) -> None:
    program = Program(
        tmp_path, "with runwatch.RunLogger(guard=False) as run:\n    run.emit('error', {'message': 'x'})\n"
    )
    program.run()
    state = program.json("finalize.json")
    assert state["stages"]["done"]["done"], "at once, with nobody to wait for"
    assert program.finalized()["status"] == "completed"


# With nobody left and no goodbye, `runwatch recover` finalizes.
@pytest.mark.parametrize(
    ("killed", "ending", "status"),
    [
        pytest.param((0,), "pass", "completed", id="guardian"),
        pytest.param((1,), "pass", "completed", id="recorder"),
        pytest.param((0, 1), "pass", "completed", id="both"),
        pytest.param((0,), "os._exit(4)", "crashed", id="guardian, no goodbye"),
        pytest.param((1,), "os._exit(4)", "crashed", id="recorder, no goodbye"),
    ],
)
def test_a_program_outlives_its_guardian_and_its_recorder(
    killed: tuple[int, ...], ending: str, status: str, tmp_path: Path
) -> None:
    code = "    sys.stdin.readline()\n    assert run.emit('error', {'message': 'later'})\n"
    program = Program(tmp_path, WORK + code + f"    {ending}\n")
    with program.start(stdin=subprocess.PIPE) as process:
        pids = wait_for(lambda: len(found := _processes_of(program.dir)) == 2 and found, "guardian and recorder")
        for number in killed:
            os.kill(pids[number], signal.SIGKILL)
        if killed == (1,):
            wait_for(lambda: program.events("recorder.replaced"), "another recorder")
        else:
            wait_for(lambda: pids[0] not in _processes_of(program.dir), "the guardian's death")
        if killed == (0,):
            lock, beat = program.dir / ".lock", (program.dir / ".lock").stat().st_mtime_ns
            wait_for(lambda: lock.stat().st_mtime_ns > beat, "a heartbeat of the recorder, which goes on")
        process.communicate("\n", timeout=60)
    assert program.finalized()["status"] == status
    assert len(program.events("error")) == 1
    assert program.json("metrics.json")["run"]["errors"] == 1
    assert program.json("metadata.json")["archive"]["sha256"]


def _processes_of(directory: Path) -> list[int]:
    """Return guardian and recorder of a run, the guardian first, as far as they are there."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if os.fsencode(directory) in words:
                found.append((b"runwatch.record.guardian" not in words, int(entry.name)))
    return [pid for _, pid in sorted(found)]


def _open_files(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield os.readlink(entry)
        except FileNotFoundError:  # closed since it was listed
            pass


def test_the_guardian_is_no_child_of_the_program(tmp_path: Path) -> None:
    code = """
    with runwatch.RunLogger() as run:
        try:
            os.wait()
        except ChildProcessError:
            print("no child")
    """
    assert Program(tmp_path, code).run().stdout == "no child\n"


def test_the_guardian_holds_none_of_the_programs_streams(tmp_path: Path) -> None:
    program = Program(tmp_path, WORK + "    sys.stdin.readline()\n")
    with program.start(stdin=subprocess.PIPE) as process:
        pids = wait_for(lambda: len(found := _processes_of(program.dir)) == 2 and found, "guardian and recorder")
        streams = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (0, 1, 2)}
        held = {stream for pid in pids for stream in _open_files(pid)}
        process.communicate("\n", timeout=60)
    assert len(streams) == 3
    assert held & streams == set()


def test_a_forked_child_records_and_does_not_end_the_run(tmp_path: Path) -> None:
    code = """
    with runwatch.RunLogger() as run:
        with run.step("one"):
            run.emit("error", {"message": "parent"})
            pid = os.fork()
            if pid == 0:
                run.emit("error", {"message": "child"})
                runwatch.get_logger("app", "adapter").info("from the child")
                run.finalize_run("failed")
                sys.exit(5)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
            run.emit("error", {"message": "parent again"})
    """
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 0, done.stderr
    assert program.finalized()["status"] == "completed"
    first, second, third = program.events("error")
    assert [event["message"] for event in (first, second, third)] == ["parent", "child", "parent again"]
    assert first["writer"] == third["writer"] != second["writer"]
    assert [event["step"] for event in (first, second, third)] == [1, 1, 1]
    assert "from the child" in (program.dir / "logs" / "step_001" / "adapter.log").read_text()


def test_a_pool_of_processes_loses_nothing_and_ends_when_told(tmp_path: Path) -> None:
    code = """
    import multiprocessing

    def work(number):
        run = runwatch.current_run()
        return sum(run.emit("tool.completed", {"tool": "t", "call_id": f"{number}-{n}"}) for n in range(200))

    with runwatch.RunLogger() as run:
        with multiprocessing.get_context("fork").Pool(4) as pool:
            assert sum(pool.map(work, range(8))) == 1600
    """
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 0, done.stderr
    program.finalized()
    assert len({event["call_id"] for event in program.events("tool.completed")}) == 1600
    assert program.json("metrics.json")["tools"][0]["calls"] == 1600


def test_signals_kill_a_forked_child_as_ever_and_interrupt_no_thread_of_ours(tmp_path: Path) -> None:
    code = """
    def blocked(task):
        status = open(f"/proc/self/task/{task}/status").read()
        return int(status.split("SigBlk:")[1].split()[0], 16) >> signal.SIGTERM - 1 & 1

    with runwatch.RunLogger() as run:
        run.emit("tool.completed", {"tool": "t"})
        ours = [task for task in os.listdir("/proc/self/task") if int(task) != os.getpid()]
        assert ours and all(blocked(task) for task in ours) and not blocked(os.getpid())
        pid = os.fork()
        if not pid:
            mine = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
            os._exit(mine != [signal.SIG_DFL, signal.SIG_DFL])
        assert os.waitpid(pid, 0)[1] == 0
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    """
    done = Program(tmp_path, code).run()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", ["runs_dir='program.py'", "framework='../x'", "run_id='a/b'", "config=3"])
def test_where_no_run_can_be_had_the_program_goes_on_and_is_told(arguments: str, tmp_path: Path) -> None:
    code = f"""
    with runwatch.RunLogger({arguments}) as run:
        with run.step("one"), runwatch.tool("t"):
            runwatch.get_logger("app").info("x")
        assert run.emit("error", {{"message": "x"}}) is False
        assert (run.path, run.run_id, runwatch.current_run()) == (None, "", None)
    print("went on")
    """
    done = Program(tmp_path, code).run()
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    assert done.stderr.count("runwatch: ") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_a_run_id_that_is_taken_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path, "runwatch.RunLogger(run_id='one', guard=False).finalize_run()\n")
    assert program.run().returncode == 0
    done = program.run()
    assert done.returncode == 0
    assert "'one' is taken" in done.stderr


def test_a_disk_without_room_changes_nothing_for_the_program(tmp_path: Path) -> None:
    code = """
    import resource
    with runwatch.RunLogger() as run:
        log = runwatch.get_logger("app")
        assert run.emit("error", {"message": "fits"})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = (run.path / "events.jsonl").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
        told = [run.emit("error", {"message": "lost"}) for _ in range(100)]
        assert told == [False] * 100
        for _ in range(50):
            log.info("x" * 100)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert run.emit("error", {"message": "fits again"})
    sys.exit(9)
    """
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 9, done.stderr
    program.finalized()
    (degraded,) = program.events("degraded")
    assert degraded["dropped"] == 100
    assert [event["message"] for event in program.events("error")] == ["fits", "fits again"]
    assert program.json("metrics.json")["journal"]["dropped"] == 100
    assert done.stderr.count("what is lost is counted") == 1


def test_switched_off_it_writes_nothing(tmp_path: Path) -> None:
    done = Program(tmp_path, WORK.replace("assert run.emit", "run.emit"), env={"RUNWATCH_DISABLE": "1"}).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_two_runs_after_each_other_and_two_at_once(tmp_path: Path) -> None:
    code = """
    with runwatch.RunLogger(run_id="first", guard=False) as first:
        first.emit("error", {"message": "1"})
    with runwatch.RunLogger(run_id="outer", guard=False) as outer:
        with outer.step("x"), runwatch.RunLogger(run_id="inner", guard=False) as inner:
            assert runwatch.current_run() is outer, "the block's own run"
            inner.emit("error", {"message": "2"})
            outer.emit("error", {"message": "3"})
        assert runwatch.current_run() is outer
    assert runwatch.current_run() is None
    """
    done = Program(tmp_path, code).run()
    assert done.returncode == 0, done.stderr
    for name, message, step in (("first", "1", False), ("inner", "2", False), ("outer", "3", True)):
        journal = (tmp_path / "runs" / "default" / name / "events.jsonl").read_text()
        (line,) = [line for line in journal.splitlines() if '"type":"error"' in line]
        assert f'"message":"{message}"' in line
        assert ('"step":1' in line) == step


def test_a_program_killed_at_its_very_first_event_is_finalized_by_its_guardian(tmp_path: Path) -> None:
    programs = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        program = Program(folder, "run = runwatch.RunLogger()\nwhile True: run.emit('error', {'message': 'x'})\n")
        process = subprocess.Popen([sys.executable, str(program.path)], cwd=folder, env=program.env)
        while not any(path.stat().st_size for path in folder.glob("runs/*/*/events.jsonl")):
            assert process.poll() is None  # no pause: the kill must come at once
        process.kill()
        process.wait(60)
        programs.append(program)
    for program in programs:
        assert program.finalized()["status"] == "crashed"
        assert program.events()[0]["type"] == "run.started"


def test_a_program_killed_while_it_forks_is_finalized_though_its_children_live(tmp_path: Path) -> None:
    code = """
    run = runwatch.RunLogger()
    print("ready", flush=True)
    while True:
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
        run.emit("error", {"message": "x"})
        time.sleep(0.02)
    """
    program = Program(tmp_path, code)
    with program.start() as process:
        wait_for(lambda: len(program.events("error")) > 5, "some forks")
        process.kill()
        assert program.finalized()["status"] == "crashed"
        for entry in Path("/proc").iterdir():  # they hold its streams
            if entry.name.isdigit() and os.fsencode(program.path) in _words(entry):
                os.kill(int(entry.name), signal.SIGKILL)


def _words(entry: Path) -> list[bytes]:
    try:
        return (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def test_processes_that_it_starts_join_its_run_and_do_not_end_it(tmp_path: Path) -> None:
    child = "run = runwatch.RunLogger(); run.emit('error', {'message': 'child'}); run.finalize_run('failed')"
    code = f"""
    import subprocess
    os.environ["RUNWATCH_RUN_DIR"] = ""
    with runwatch.RunLogger() as run:
        with run.step("one"), run.step("two"):
            subprocess.run([sys.executable, "-c", {f"import runwatch; {child}"!r}], check=True)
        subprocess.run([sys.executable, "-m", "runwatch.cli.main", "emit", "error", "message=shell"], check=True)
        assert os.environ["RUNWATCH_RUN_DIR"] == str(run.path)
        with runwatch.RunLogger(run_id="inner", guard=False) as inner:
            assert inner.path != run.path
            assert os.environ["RUNWATCH_RUN_DIR"] == str(inner.path)
        assert os.environ["RUNWATCH_RUN_DIR"] == str(run.path)
    assert os.environ["RUNWATCH_RUN_DIR"] == "", "as it was"
    """
    program = Program(tmp_path, code)
    done = program.run()
    assert done.returncode == 0, done.stderr
    runs = {path.parent.name: path.parent for path in tmp_path.glob("runs/default/*/events.jsonl")}
    del runs["inner"]
    (outer,) = runs.values()
    events = [json.loads(line) for line in (outer / "events.jsonl").read_bytes().splitlines()]
    errors = [(event["message"], event.get("step")) for event in events if event["type"] == "error"]
    assert errors == [("child", 2), ("shell", None)]
    metadata = json.loads((outer / "metadata.json").read_bytes())
    assert metadata["status"] == "completed", "the program's own word"
    assert not (outer / ".step").exists()
