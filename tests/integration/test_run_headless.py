"""The main path without the app: record, finalize, commit; the command as if runwatch were not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from integration.recorded import RUNWATCH, git, record, repository, run_dir, runwatch, start, wait_for

TRACKED = {"metadata.json", "metrics.json", "commit.txt", "logs_summary.txt", "summary.md"}


def test_a_command_becomes_journal_summary_archive_and_one_commit(tmp_path: Path) -> None:
    repository(tmp_path)
    run = record("sh", "-c", "echo hi; echo oops >&2; exit 3", cwd=tmp_path)
    assert run.done.returncode == 3
    assert run.done.stdout == b"hi\n"
    assert b"oops\n" in run.done.stderr
    assert run.events()[0]["type"] == "run.started"
    assert run.events()[-1]["type"] == "run.completed"
    sealed = run.event("run.completed")
    assert (sealed["status"], sealed["exit_code"], sealed["reason"]) == ("failed", 3, "exit code 3")
    assert (run.log("stdout.log"), run.log("stderr.log")) == (b"hi\n", b"oops\n")
    metadata = run.json("metadata.json")
    assert (metadata["status"], metadata["exit_code"]) == ("failed", 3)
    with tarfile.open(run.dir / "run.tar.gz") as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {"events.jsonl", "logs/stdout.log", "logs_summary.txt"} <= names
    assert not names & {"finalize.json", ".lock", "post.jsonl", "run.tar.gz"}
    changed = git("show", "--name-only", "--format=%s", "HEAD", cwd=tmp_path).split("\n")
    assert changed[0] == f"runwatch: default/{run.dir.name} failed"
    assert {Path(name).name for name in changed[1:] if name} == TRACKED
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "2\n"
    shown = runwatch("show", cwd=tmp_path)
    assert shown.stdout == (run.dir / "logs_summary.txt").read_bytes()
    assert b"exit code 3" in shown.stdout


def test_nothing_happens_behind_the_end_of_a_short_run(tmp_path: Path) -> None:
    repository(tmp_path)
    record("true", cwd=tmp_path)
    events = [json.loads(line) for line in (run_dir(tmp_path) / "events.jsonl").read_bytes().splitlines()]
    times = {event["type"]: event["ts"] for event in events}
    assert "git.snapshot" in times
    assert max(times.values()) == times["run.completed"]


def test_git_status_and_the_index_are_the_same_before_during_and_after(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "a.txt").write_text("changed\n")
    (tmp_path / "staged.txt").write_text("staged\n")
    (tmp_path / "untracked.txt").write_text("untracked\n")
    git("add", "staged.txt", cwd=tmp_path)

    def state() -> tuple[str, ...]:
        entries = [line for line in git("ls-files", "-s", cwd=tmp_path).splitlines() if "\truns/" not in line]
        return (git("status", "--porcelain", cwd=tmp_path), git("diff", "--cached", cwd=tmp_path), "\n".join(entries))

    before = state()
    script = "git status --porcelain > $OUT; git add -A; git reset -q; git add staged.txt; git clean -fdn >> $OUT"
    seen = tmp_path.parent / f"{tmp_path.name}-seen"
    run = record("sh", "-c", script, cwd=tmp_path, env={"OUT": str(seen)})
    assert run.done.returncode == 0
    assert seen.read_text() == before[0] + "Would remove untracked.txt\n"
    assert state() == before
    assert len(git("diff", "--name-only", "HEAD~1", "HEAD", cwd=tmp_path).split()) == 5


def test_without_git_everything_but_the_commit_happens_and_is_said(tmp_path: Path) -> None:
    run = record("true", cwd=tmp_path)
    assert run.done.returncode == 0
    assert {path.name for path in run.dir.iterdir()} >= TRACKED | {"run.tar.gz"}
    stages = run.json("finalize.json")["stages"]
    assert [name for name, stage in stages.items() if not stage["done"]] == ["commit"]
    assert "no git repository" in run.done.stderr.decode().lower() or "not in a git" in run.done.stderr.decode().lower()


@pytest.mark.parametrize(
    ("command", "code", "status"),
    [
        (["true"], 0, "completed"),
        (["sh", "-c", "exit 255"], 255, "failed"),
        (["no-such-command-at-all"], 127, "failed"),
        (["/"], 126, "failed"),
        (["sh", "-c", "kill -TERM $$"], -15, "interrupted"),
        (["sh", "-c", "kill -KILL $$"], -9, "crashed"),
        (["sh", "-c", "kill -SEGV $$"], -11, "crashed"),
        ([sys.executable, "-c", "raise ValueError('x')"], 1, "failed"),
    ],
)
def test_it_ends_as_the_command_did(tmp_path: Path, command: list[str], code: int, status: str) -> None:
    run = record(*command, cwd=tmp_path)
    assert run.done.returncode == code
    assert run.json("metadata.json")["status"] == status
    assert run.event("run.completed")["status"] == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_supervisor_is_passed_on_and_the_run_is_finalized(
    tmp_path: Path, number: signal.Signals
) -> None:
    script = "trap 'echo got; exit 9' TERM INT HUP; echo ready; while :; do sleep 0.05; done"
    process = start("bash", "-c", script, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (b"got\n", 9)
    metadata = json.loads((run_dir(tmp_path) / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["exit_code"]) == ("interrupted", 9)
    assert number.name in metadata["reason"]


def test_steps_come_from_markers_and_from_runwatch_step(tmp_path: Path) -> None:
    script = (
        "echo before; echo ::group::build; echo in build; echo ::endgroup::; echo between; "
        "$RW step 'the next'; echo in next"
    )
    run = record("sh", "-c", script, cwd=tmp_path, env={"RW": " ".join(RUNWATCH)})
    assert run.done.returncode == 0, run.done.stderr
    assert run.log("stdout.log") == b"before\nbetween\n"
    assert run.log("step_001/stdout.log") == b"::group::build\nin build\n::endgroup::\n"
    assert run.log("step_002/stdout.log") == b"in next\n"
    steps = run.json("metrics.json")["steps"]
    assert [(step["step"], step["name"], step["status"]) for step in steps] == [
        (1, "build", "success"),
        (2, "the next", "success"),
    ]
    assert b"step 001" in run.done.stderr


def test_a_step_pattern_that_backtracks_for_ever_is_told_and_the_output_is_whole(tmp_path: Path) -> None:
    (tmp_path / "runwatch.toml").write_text("[steps]\npattern = '^(?P<name>(?:a|aa)+)$'\n")
    hostile = 300 * "a" + "!"
    recorded = record("sh", "-c", f"echo aaa; echo in; echo {hostile}; echo aaa; exit 3", cwd=tmp_path)
    assert recorded.done.returncode == 3
    out = f"aaa\nin\n{hostile}\naaa\n".encode()
    assert (recorded.done.stdout, (recorded.dir / "logs/step_001/stdout.log").read_bytes()) == (out, out)
    said = [event["message"] for event in recorded.events() if event.get("where") == "steps"]
    because = "takes too long on a line: repeat nothing that repeats itself; it opens no steps in this run from here on"
    assert said == [f'runwatch.toml, line 2: steps.pattern "^(?P<name>(?:a|aa)+)$" {because}.']


def test_events_from_the_shell_reach_the_metrics_and_the_logs(tmp_path: Path) -> None:
    script = (
        "$RW step one; $RW emit llm.completed provider=openai model=gpt-4o prompt_tokens=1000 completion_tokens=500"
    )
    run = record("sh", "-c", script, cwd=tmp_path, env={"RW": " ".join(RUNWATCH)})
    metrics = run.json("metrics.json")
    assert metrics["run"]["tokens"]["total"] == 1500
    assert metrics["run"]["llm_configuration"]["model"] == "gpt-4o"
    assert metrics["run"]["cost_usd"] == pytest.approx(0.0075)
    assert metrics["steps"][0]["tokens"]["total"] == 1500
    assert run.event("llm.priced")["cost_usd"] == pytest.approx(0.0075)
    assert "gpt-4o" in run.log("step_001/adapter.log").decode()


def test_standard_input_is_the_callers_and_bytes_behind_a_pipe_are_the_same(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3000
    done = subprocess.run(
        [*RUNWATCH, "run", "--headless", "--quiet", "--", "cat"],
        cwd=tmp_path,
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (data, b"", 0)


def test_a_process_left_behind_goes_on_writing_and_is_named(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    script = f"(while [ ! -e {flag} ]; do sleep 0.02; done; echo late; echo done > {flag}2) & echo early"
    process = start("sh", "-c", script, cwd=tmp_path)
    wait_for(lambda: list(tmp_path.glob("runs/*/*/finalize.json")), "the run's end")
    wait_for(lambda: process.poll() is not None, "runwatch's end")
    flag.touch()
    wait_for(lambda: Path(f"{flag}2").exists(), "the process left behind to go on")
    assert process.stdout is not None
    assert process.stdout.read() == b"early\nlate\n"
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()
    summary = (run_dir(tmp_path) / "logs_summary.txt").read_text()
    assert "left processes behind" in summary


def test_an_unwritable_runs_folder_lets_the_command_run_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    done = runwatch("run", "--", "sh", "-c", "echo hi; exit 4", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, b"hi\n")
    assert b"not recorded" in done.stderr
    assert b"--runs-dir" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["--run-id", "../x", "--", "true"], "../x"),
        (["--framework", "a b", "--", "true"], "a b"),
        (["--no-such-flag", "--", "true"], "--no-such-flag"),
        ([], "No command"),
    ],
)
def test_wrong_use_is_one_sentence_code_125_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], value: str
) -> None:
    done = runwatch("run", *arguments, cwd=tmp_path)
    assert done.returncode == 125
    assert value in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_disabled_it_is_the_command_itself(tmp_path: Path) -> None:
    done = runwatch("run", "--", "sh", "-c", "echo $PPID; exit 5", cwd=tmp_path, env={"RUNWATCH_DISABLE": "1"})
    assert (done.returncode, done.stderr) == (5, b"")
    assert int(done.stdout) == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_finalizing_again_gives_the_same_files_and_no_second_commit(tmp_path: Path) -> None:
    repository(tmp_path)
    run = record("sh", "-c", "echo hi", cwd=tmp_path)
    before = {
        path.name: path.read_bytes() for path in run.dir.iterdir() if path.is_file() and path.name != "finalize.json"
    }
    again = runwatch("finalize", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    forced = runwatch("finalize", "--from", "status", cwd=tmp_path)
    assert forced.returncode == 0, forced.stderr
    after = {
        path.name: path.read_bytes() for path in run.dir.iterdir() if path.is_file() and path.name != "finalize.json"
    }
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "2\n"


def test_a_secret_in_the_command_line_does_not_reach_git(tmp_path: Path) -> None:
    repository(tmp_path)
    secret = "hunter2-" + "correct-horse-battery"
    run = record("sh", "-c", f"echo {secret} >&2; exit 1", cwd=tmp_path, env={"MY_API_KEY": secret})
    assert secret.encode() in run.log("stderr.log")
    for name in TRACKED:
        assert secret not in git("show", f"HEAD:{(run.dir / name).relative_to(tmp_path)}", cwd=tmp_path), name


def test_reports_given_by_pattern_are_measured(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "runwatch.toml").write_text('[capture]\ncoverage = ["cov.json"]\ntests = ["out/*.xml"]\n')
    script = (
        'mkdir out; echo \'{"totals": {"covered_lines": 3, "num_statements": 4}}\' > cov.json;'
        "echo '<testsuite time=\"2\"><testcase/><testcase><failure/></testcase></testsuite>' > out/unit.xml"
    )
    done = record("sh", "-c", script, cwd=tmp_path)
    metrics = json.loads((done.dir / "metrics.json").read_bytes())
    assert metrics["code"]["coverage_percent"] == 75.0
    assert {name: metrics["tests"][name] for name in ("passed", "failed", "duration_s")} == {
        "passed": 1, "failed": 1, "duration_s": 2.0,
    }  # fmt: skip


def test_an_interpreter_that_is_to_be_inspected_is_the_commands_alone(tmp_path: Path) -> None:
    command = ("sh", "-c", 'echo "$PYTHONINSPECT"; exit 5')
    done = runwatch("run", "--", *command, cwd=tmp_path, env={"PYTHONINSPECT": "1"})
    assert (done.returncode, done.stdout) == (5, b"1\n")
    assert b"the recorder ended" not in done.stderr
    assert b"not finalized" not in done.stderr
