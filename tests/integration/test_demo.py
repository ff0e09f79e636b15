"""`runwatch demo`, really played: what it records, what it leaves, and what it does not touch."""

from __future__ import annotations

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo_parts import spoiled_package
from git_repos import GitRepo
from integration.recorded import RUNWATCH, Recorded, wait_for
from runwatch.demo import scratch

# One recorded demo serves most tests of this file: they stay together in one worker.
pytestmark = pytest.mark.xdist_group("demo")

CPU_S = 20.0
"""What all processes of a demo may use: with the longest pauses, `pace.LONGEST_S`, that is 40 s on a busy machine."""


@dataclass
class Played(Recorded):
    """A demo that was played, and the caller's own things before and after it."""

    cpu_s: float
    before: dict[str, bytes]
    after: dict[str, bytes]

    def typed(self, *types: str) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["type"] in types]

    @property
    def repo(self) -> GitRepo:
        return GitRepo(self.cwd)


def files_below(*folders: Path) -> dict[str, bytes]:
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in paths}


def cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo at full speed, started from a dirty repository with an environment and a home that would lead astray."""
    place = tmp_path_factory.mktemp("demo")
    caller = GitRepo.with_history(place / "caller")
    caller.write("staged.txt", "staged")
    caller.git("add", "staged.txt")
    caller.write("README", "changed\n")
    home = place / "home"
    (home / ".config" / "runwatch").mkdir(parents=True)
    (home / ".config" / "runwatch" / "runwatch.toml").write_text('[commit]\nmode = "off"\n[llm]\nmodel = "theirs"\n')
    (home / ".gitconfig").write_text(
        "[commit]\n\tgpgSign = true\n[user]\n\tname = Caller\n\temail = c@example.invalid\n"
    )
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_DIR": str(caller.path / ".git"),
        "GIT_INDEX_FILE": str(caller.path / ".git" / "index"),
        "GIT_WORK_TREE": str(caller.path),
        "RUNWATCH_RUNS_DIR": str(place / "their-runs"),
        "RUNWATCH_DEMO_PACE": "0",
        "LLM_PROVIDER": "theirs",
        "LLM_MODEL": "theirs",
        "PYTEST_ADDOPTS": "--no-such-option",
        "COVERAGE_FILE": str(caller.path / ".coverage"),
        "PYTHONOPTIMIZE": "1",
    }
    before = files_below(caller.path, home)
    used_s = cpu_seconds_of_children()
    done = subprocess.run(
        [*RUNWATCH, "demo", "--headless", "--keep", str(place / "scratch")],
        cwd=caller.path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert not (place / "their-runs").exists()
    return Played(place / "scratch", done, cpu_seconds_of_children() - used_s, before, files_below(caller.path, home))


def test_it_ends_well_and_costs_little(played: Played) -> None:
    sealed = played.event("run.completed")
    assert (sealed["status"], sealed["exit_code"]) == ("completed", 0)
    assert played.json("metadata.json")["status"] == "completed"
    assert played.cpu_s < CPU_S


def test_the_callers_repository_and_home_are_the_same_to_the_byte(played: Played) -> None:
    assert played.before == played.after
    assert any(name.endswith(".git/index") for name in played.before)


def test_it_has_six_steps_which_all_end_well(played: Played) -> None:
    steps = played.json("metrics.json")["steps"]
    assert [(step["step"], step["status"]) for step in steps] == [(number, "success") for number in range(1, 7)]
    assert [step["name"] for step in steps] == played.event("steps.planned")["names"]
    assert steps[3]["retries"] == 2


def test_about_a_hundred_model_calls_are_the_stand_ins_with_a_rate_limit_and_a_retry(played: Played) -> None:
    calls = played.typed("llm.completed")
    assert 90 <= len(calls) <= 115
    assert {(call["provider"], call["model"]) for call in calls} == {("stand-in", "scripted-stand-in-1")}
    results = Counter(call.get("result", "success") for call in calls)
    assert (results["rate_limit"], results["timeout"], results["error"]) == (2, 1, 0)
    assert [call["attempt"] for call in calls].count(2) == len(played.typed("llm.retry")) == 3
    answered = [call for call in calls if call.get("result", "success") == "success"]
    assert all(call["prompt_tokens"] > 0 and call["completion_tokens"] > 0 for call in answered)


def test_the_model_is_called_a_stand_in_wherever_it_shows(played: Played) -> None:
    for name in ("logs_summary.txt", "summary.md", "metadata.json", "metrics.json"):
        assert b"scripted-stand-in-1" in (played.dir / name).read_bytes(), name
        assert b"theirs" not in (played.dir / name).read_bytes(), name
    assert b"Its model is a stand-in" in played.done.stdout
    assert "made up" in (played.cwd / "runwatch.toml").read_text().lower()


def test_its_cost_is_the_made_up_price_of_its_tokens(played: Played) -> None:
    run = played.json("metrics.json")["run"]
    tokens = run["tokens"]
    assert run["cost_usd"] == pytest.approx(
        (
            (tokens["prompt"] - tokens["cache_read"]) * 3.0
            + tokens["cache_read"] * 0.3
            + tokens["completion"] * 15.0
        )
        / 1e6,
        rel=1e-3,
    )  # fmt: skip
    assert run["cost_usd"] > 0.05


def test_pipelines_fail_before_the_repair_and_pass_after_it(played: Played) -> None:
    pipelines = played.typed("pipeline.completed")
    assert statuses(played, "pipeline.completed") == ["failed", "success", "failed", "failed", "success", "success"]
    commits = set(played.repo.git("rev-list", "repair").split())
    assert {event["commit_sha"] for event in pipelines} <= commits
    assert all(event["duration_s"] > 0.1 for event in pipelines), "a real pytest takes its time"


def test_what_is_recorded_of_the_tests_is_what_pytest_reported(played: Played) -> None:
    measured = played.typed("tests.measured")
    assert [(event.get("passed", 0), event.get("failed", 0)) for event in measured] == [
        (13, 6), (6, 0), (19, 2), (20, 1), (21, 0), (24, 0),
    ]  # fmt: skip
    for number, event in enumerate(measured, 1):
        junit = (played.dir / "artifacts" / f"pipeline-{number}" / "junit.xml").read_text()
        assert f'failures="{event.get("failed", 0)}"' in junit
    coverage = [event["percent"] for event in played.typed("coverage.measured")]
    assert 80 < coverage[0] < 90
    assert coverage[-1] > 95


def test_a_debugging_cycle_is_resolved_at_its_second_attempt(played: Played) -> None:
    (cycle,) = played.json("metrics.json")["debugging"]
    assert (cycle["resolved"], cycle["attempts"], str(cycle["issue"])) == (True, 2, "18")
    agents = Counter(event["agent"] for event in played.typed("agent.started"))
    assert agents == {"coding": 4, "testing": 3, "review": 3}


def test_services_and_tools_fail_for_real_and_a_question_is_answered_by_the_script(played: Played) -> None:
    assert "database is locked" in played.event("service.retry")["error"]
    tools = Counter(event["tool"] for event in played.typed("tool.completed"))
    assert {"read_file", "write_file", "run_tests", "git_commit"} <= set(tools)
    failed = [event for event in played.typed("tool.completed") if not event.get("success", True)]
    assert ["CONTRIBUTING.md" in event["error"] for event in failed] == [True]
    assert "script" in played.event("hitl.answered")["answer"]


def test_several_components_log_at_several_levels_with_a_traceback_in_the_failing_step(played: Played) -> None:
    levels: dict[str, set[str]] = {}
    for path in played.dir.glob("logs/step_*/*.log"):
        if path.stem in ("stdout", "stderr"):
            continue
        for line in path.read_text().splitlines():
            levels.setdefault(path.stem, set()).add(json.loads(line)["level"])
    assert set(levels) >= {"orchestrator", "adapter", "metrics", "validator"}
    assert set.union(*levels.values()) >= {"DEBUG", "INFO", "WARNING", "ERROR"}
    assert "Traceback (most recent call last)" in played.log("step_004/orchestrator.log").decode()
    assert b"2 failed, 19 passed" in played.log("step_004/stdout.log")
    assert b"pipeline 3: failed" in played.log("step_004/stderr.log")


def test_its_commits_are_real_and_one_of_them_is_runwatchs(played: Played) -> None:
    authors = played.repo.git("log", "--format=%an", "main..repair").splitlines()
    assert Counter(authors) == {
        "coding agent (scripted)": 5,
        "testing agent (scripted)": 3,
        "runwatch demo": 1,
    }
    assert authors[0] == "runwatch demo"
    assert played.repo.git("log", "-1", "--format=%s") == f"runwatch: demo/{played.dir.name} completed\n"
    committed = played.repo.git("show", "--name-only", "--format=", "HEAD").split()
    assert sorted(Path(name).name for name in committed) == [
        "commit.txt", "logs_summary.txt", "metadata.json", "metrics.json", "summary.md",
    ]  # fmt: skip
    assert played.repo.git("status", "--porcelain") == ""


def test_the_repaired_package_passes_its_tests_for_whoever_looks(played: Played) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=played.cwd, capture_output=True, text=True, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "24 passed" in done.stdout


def test_the_commands_that_it_names_at_the_end_work_as_they_stand(played: Played) -> None:
    said = played.done.stderr.decode().split("Everything stays in this folder:\n")[1].splitlines()
    commands = [line.split("  # ")[0].strip() for line in said if line.startswith("  ")]
    setting = [command for command in commands if command.split()[0] in ("cd", "unset") or command.startswith("PATH=")]
    assert setting[:2] == [f"cd {shlex.quote(str(played.cwd))}", "unset RUNWATCH_RUNS_DIR"]
    tried = [command for command in commands if command not in setting]
    assert [command.split()[1] for command in tried] == ["watch", "show", "logs", "log"]
    for command in tried[1:]:  # the app needs a terminal
        script = "\n".join(["set -e", *setting, command])
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip(), command


def test_with_the_last_repair_broken_the_pipeline_and_the_run_fail(tmp_path: Path) -> None:
    package = spoiled_package(tmp_path, "Decimal(hours or 0) + Decimal(minutes) / 60", "Decimal(hours or 0)")
    script = "import sys; from pathlib import Path; from runwatch.demo.play import play; "
    script += "sys.exit(play(headless=True, folder=sys.argv[1], package=Path(sys.argv[2])))"
    folder = tmp_path / "scratch"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(package)],
        cwd=tmp_path, env={**os.environ, "RUNWATCH_DEMO_PACE": "0"}, stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    run = Recorded(folder, done)
    assert done.returncode == 1
    assert (run.event("run.completed")["status"], run.event("run.completed")["exit_code"]) == ("failed", 1)
    assert statuses(run, "step.completed") == ["success", "success", "success", "failed"]
    assert statuses(run, "pipeline.completed") == ["failed", "success", "failed", "failed", "failed"]
    assert statuses(run, "issue.completed") == ["resolved", "failed"]
    assert run.event("debug.completed").get("resolved", False) is False
    assert "the package is not repaired: issue 18" in done.stderr.decode()
    assert "the run ended with 1" in done.stderr.decode()


def test_with_the_first_repair_broken_an_agent_that_nobody_records_records_its_failure(tmp_path: Path) -> None:
    package = spoiled_package(tmp_path, "rounding=ROUND_HALF_UP)", 'rounding=\\"ROUND_DOWN\\")')
    folder = scratch.make(str(tmp_path / "scratch"), package)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "runwatch.demo.agent", "--pace", "0", "--package", str(package)],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr.decode()
    run = Recorded(folder, done)
    wait_for(lambda: (run.dir / "run.tar.gz").exists(), "the archive")
    metadata = run.json("metadata.json")
    assert (metadata["status"], metadata["framework"]) == ("failed", "demo")
    assert statuses(run, "pipeline.completed") == ["failed", "failed"]
    assert statuses(run, "issue.completed") == ["failed"]


def statuses(run: Recorded, type_name: str) -> list[str]:
    return [event.get("status", "success") for event in run.events() if event["type"] == type_name]


@dataclass
class Playing:
    """A demo under way in a session of its own, at a speed at which it can be met, with a terminal as its input."""

    child: subprocess.Popen[bytes]
    terminal: int

    def press(self, key: bytes) -> None:
        os.write(self.terminal, key)


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Playing]:
    terminal, its_end = os.openpty()
    demo = [*RUNWATCH, "demo", "--headless", "--keep", str(tmp_path / "scratch")]
    child = subprocess.Popen(
        ["sh", "-c", 'exec "$@" < "$TERMINAL"', "sh", *demo],  # the first terminal that a session opens is its own
        cwd=tmp_path, env={**os.environ, "RUNWATCH_DEMO_PACE": "2", "TERMINAL": os.ttyname(its_end)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    yield Playing(child, terminal)
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.close(terminal)
    os.close(its_end)


def test_a_person_who_presses_ctrl_c_gets_a_finished_record_and_the_closing_lines(
    playing: Playing, tmp_path: Path
) -> None:
    def calls() -> bool:
        return any(b'"llm.completed"' in path.read_bytes() for path in tmp_path.glob("scratch/runs/*/*/events.jsonl"))

    wait_for(calls, "the first model call")
    playing.press(b"\x03")
    out, err = playing.child.communicate(timeout=60)
    assert playing.child.returncode == 130, err.decode()
    run = Recorded(tmp_path / "scratch", subprocess.CompletedProcess([], 130, out, err))
    assert run.json("metadata.json")["status"] == "interrupted"
    assert "the run ended with 130" in err.decode()
    assert "Traceback" not in err.decode()
