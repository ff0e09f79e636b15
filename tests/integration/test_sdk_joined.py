"""A program under ``runwatch run`` joins that run: its steps, its logs, its say about the end."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from integration.recorded import Recorded, record, runwatch


def recorded(cwd: Path, code: str, *, options: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Recorded:
    """Record a program that uses the SDK."""
    program = cwd / "program.py"
    program.write_text("import os, sys, time\nimport runwatch\n" + textwrap.dedent(code))
    # Python holds back what it prints into a pipe, unless somebody has switched that off for this shell.
    return record(sys.executable, str(program), cwd=cwd, options=options, env={"PYTHONUNBUFFERED": "", **(env or {})})


def test_it_is_the_same_run_and_what_it_prints_lies_in_its_steps(tmp_path: Path) -> None:
    code = """
    print("before")
    with runwatch.RunLogger() as run:
        assert str(run.path) == os.environ["RUNWATCH_RUN_DIR"]
        with run.step("first"):
            print("in first")
            print("error in first", file=sys.stderr)
            runwatch.get_logger("app", "adapter").info("log in first")
        print("between")
        with run.step("second"):
            print("in second")
    print("after")
    """
    run = recorded(tmp_path, code, options=("--run-id", "mine"))
    assert run.done.returncode == 0, run.done.stderr
    assert run.dir.name == "mine"
    assert run.log("stdout.log") == b"before\nbetween\nafter\n"
    assert run.log("step_001/stdout.log") == b"in first\n"
    assert run.log("step_001/stderr.log") == b"error in first\n"
    assert run.log("step_002/stdout.log") == b"in second\n"
    assert b"log in first" in run.log("step_001/adapter.log")
    steps = [(step["step"], step["name"], step["status"]) for step in run.json("metrics.json")["steps"]]
    assert steps == [(1, "first", "success"), (2, "second", "success")]


@pytest.mark.parametrize(
    ("code", "exit_code", "status"),
    [
        ("with runwatch.RunLogger() as run: pass", 0, "completed"),
        ("runwatch.RunLogger().finalize_run('resolved')", 0, "resolved"),
        ("runwatch.RunLogger().finalize_run('completed'); sys.exit(3)", 3, "failed"),
        ("with runwatch.RunLogger() as run: raise ValueError('bad')", 1, "failed"),
        ("run = runwatch.RunLogger(); run.emit('error', {'message': 'x'})", 0, "completed"),
    ],
)
def test_it_proposes_a_status_and_a_failing_exit_code_wins(
    code: str, exit_code: int, status: str, tmp_path: Path
) -> None:
    run = recorded(tmp_path, code)
    assert run.done.returncode == exit_code
    metadata = run.json("metadata.json")
    assert (metadata["status"], metadata["exit_code"]) == (status, exit_code)


def test_what_it_configures_is_the_runs(tmp_path: Path) -> None:
    config = {"llm_provider": "deepseek", "llm_model": "deepseek-chat", "llm_temperature": 0.0, "mode": "all", "n": 3}
    run = recorded(tmp_path, f"runwatch.RunLogger(168, {config!r})")
    metadata = run.json("metadata.json")
    expected = {"provider": "deepseek", "model": "deepseek-chat", "temperature": 0.0}
    assert (metadata["project_id"], metadata["mode"], metadata["llm_configuration"]) == (168, "all", expected)
    assert run.event("run.configured")["config"] == {"n": 3}


def test_recorders_join_without_a_run_logger(tmp_path: Path) -> None:
    code = """
    runwatch.get_logger("app").warning("hello")
    with runwatch.tool("grep"), runwatch.llm_metrics.track_request("m", "p") as request:
        request["prompt_tokens"] = 5
    assert str(runwatch.current_run().path) == os.environ["RUNWATCH_RUN_DIR"]
    """
    run = recorded(tmp_path, code)
    assert run.done.returncode == 0, run.done.stderr
    assert run.json("metrics.json")["run"]["tokens"]["prompt"] == 5
    assert b'"hello"' in run.log("run.log")
    assert not [event for event in run.events() if event["type"] == "status.proposed"]


def test_two_programs_at_once_never_take_the_same_step(tmp_path: Path) -> None:
    worker = (
        "with runwatch.RunLogger() as run:\n    for n in range(10):\n        with run.step(f'{sys.argv[1]}-{n}'): pass"
    )
    (tmp_path / "worker.py").write_text(f"import sys\nimport runwatch\n{worker}\n")
    code = """
    import subprocess
    children = [subprocess.Popen([sys.executable, "worker.py", name]) for name in "ab"]
    sys.exit(sum(child.wait() for child in children))
    """
    run = recorded(tmp_path, code)
    assert run.done.returncode == 0, run.done.stderr
    started = [event for event in run.events() if event["type"] == "step.started"]
    assert sorted(event["step"] for event in started) == list(range(1, 21))
    assert len({event["name"] for event in started}) == 20


def test_it_starts_in_the_step_that_the_shell_opened(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import runwatch\n"
        "run = runwatch.current_run()\n"
        "run.emit('error', {'message': 'x'})\n"
        "with run.step('inner'): run.emit('error', {'message': 'y'})\n"
    )
    script = f"{sys.executable} -m runwatch.cli.main step outer && {sys.executable} program.py"
    run = record("sh", "-c", script, cwd=tmp_path)
    assert run.done.returncode == 0, run.done.stderr
    assert [event["step"] for event in run.events() if event["type"] == "error"] == [1, 2]


def test_a_pinned_step_is_the_one_at_hand(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("import runwatch\nrunwatch.current_run().emit('error', {'message': 'x'})\n")
    code = """
    import subprocess
    with runwatch.RunLogger() as run, run.step("one"), run.step("two"):
        environment = {**os.environ, "RUNWATCH_STEP": "1"}
        sys.exit(subprocess.run([sys.executable, "worker.py"], env=environment).returncode)
    """
    run = recorded(tmp_path, code)
    assert run.done.returncode == 0, run.done.stderr
    assert run.event("error")["step"] == 1


def test_a_run_that_is_over_is_not_joined(tmp_path: Path) -> None:
    run = recorded(tmp_path, "pass")
    assert run.done.returncode == 0
    former = run.dir
    before = (former / "events.jsonl").read_bytes()
    code = "import runwatch; r = runwatch.RunLogger(run_id='own', guard=False); print(r.run_id); r.finalize_run()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "RUNWATCH_RUN_DIR": str(former)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "own\n"
    assert "no live run" in done.stderr
    assert (former / "events.jsonl").read_bytes() == before


def test_a_journal_of_several_writers_is_one_run(tmp_path: Path) -> None:
    code = """
    pid = os.fork()
    run = runwatch.RunLogger()
    for number in range(300):
        assert run.emit("tool.completed", {"tool": "t", "call_id": f"{os.getpid()}-{number}"})
    if pid:
        os.waitpid(pid, 0)
    else:
        os._exit(0)
    """
    run = recorded(tmp_path, code)
    assert run.done.returncode == 0, run.done.stderr
    assert run.json("metrics.json")["tools"][0]["calls"] == 600
    assert runwatch("ls", cwd=tmp_path).returncode == 0


def test_it_follows_the_steps_that_the_shell_opens_later(tmp_path: Path) -> None:
    code = """
    import subprocess
    step = [sys.executable, "-m", "runwatch.cli.main", "step"]
    run = runwatch.RunLogger()
    def tell(name):
        run.emit("error", {"message": name})
        runwatch.get_logger("app", "adapter").warning(name)
    tell("before")
    subprocess.run([*step, "one"], check=True)
    tell("in one")
    subprocess.run([*step, "two"], check=True)
    tell("in two")
    with run.step("own"):
        tell("in own")
    tell("in two again")
    """
    run = recorded(tmp_path, code)
    assert run.done.returncode == 0, run.done.stderr
    errors = [(event["message"], event.get("step")) for event in run.events() if event["type"] == "error"]
    assert errors == [("before", None), ("in one", 1), ("in two", 2), ("in own", 3), ("in two again", 2)]
    assert run.log("step_002/adapter.log").count(b"in two") == 2
    assert not (run.dir / ".step").exists()


def test_wishes_that_a_joined_run_cannot_fulfil_are_warnings(tmp_path: Path) -> None:
    code = """
    runwatch.RunLogger(framework="mine", run_id="r")
    runwatch.RunLogger(framework="default")
    """
    run = recorded(tmp_path, code, options=("--run-id", "theirs"))
    assert run.done.returncode == 0, run.done.stderr
    warnings = [event["message"] for event in run.events() if event["type"] == "warning"]
    assert warnings == [
        "framework mine is not used: this program joined run default/theirs",
        "run_id r is not used: this program joined run default/theirs",
    ]
