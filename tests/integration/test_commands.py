"""The commands beside `run`, as a person or a pipe meets them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import termios
from pathlib import Path

import pytest

from integration.recorded import RUNWATCH, git, record, repository, run_dir, runwatch, start, wait_for
from runwatch.cli.main import COMMANDS
from runwatch.journal.paths import TRACKED

PROGRAM = str(Path(sys.executable).with_name("runwatch"))
"""The entry point."""


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_every_command_has_an_example(name: str, tmp_path: Path) -> None:
    done = runwatch(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert b"Example: " in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_takes_nothing_is_told_in_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "--help"], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "runwatch: the output cannot be written (No space left on device): send it to a place that has room for it.\n"
    )


def test_the_app_without_a_terminal_is_refused_with_what_works_instead(tmp_path: Path) -> None:
    record("true", cwd=tmp_path)
    done = runwatch("watch", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"runwatch logs -f" in done.stderr


def test_ls_and_show_work_in_a_fresh_clone_from_the_tracked_files_alone(tmp_path: Path) -> None:
    repository(tmp_path / "here")
    run = record("sh", "-c", "exit 3", cwd=tmp_path / "here")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", tmp_path / "here", clone], check=True)
    rows = json.loads(runwatch("ls", "--json", cwd=clone).stdout)
    assert [(row["run_id"], row["status"], row["live"]) for row in rows] == [(run.dir.name, "failed", False)]
    assert runwatch("show", "@1", cwd=clone).stdout == (run.dir / "logs_summary.txt").read_bytes()
    for words in (["verify"], ["extract", "@1"], ["finalize"]):
        done = runwatch(*words, cwd=clone)
        assert (done.returncode, b"only" in done.stderr, b"where it was recorded" in done.stderr) == (1, True, True)


def test_finalize_writes_tracked_files_that_are_missing_again_with_the_same_bytes(tmp_path: Path) -> None:
    repository(tmp_path)
    run = record("sh", "-c", "echo why >&2; exit 3", cwd=tmp_path)
    commits = git("rev-list", "--all", cwd=tmp_path)
    for name in TRACKED:
        (run.dir / name).unlink()
    assert runwatch("finalize", cwd=tmp_path).returncode == 0
    assert git("status", "--porcelain", "--", str(run.dir), cwd=tmp_path) == ""
    git("switch", "-q", "-c", "side", "HEAD~1", cwd=tmp_path)
    runwatch("finalize", str(run.dir), cwd=tmp_path)
    assert not any((run.dir / name).exists() for name in TRACKED)  # git would not switch back over them
    assert git("rev-list", "--all", cwd=tmp_path) == commits


def test_logs_are_merged_filtered_and_read_from_the_archive_when_the_raw_ones_are_gone(tmp_path: Path) -> None:
    script = (
        'echo \'{"ts":"2026-10-20T10:00:00Z","level":"warn","msg":"careful"}\'; echo plain; '
        'printf "\\033]0;owned\\007\\n"; echo "ERROR it broke" >&2'
    )
    run = record("sh", "-c", script, cwd=tmp_path)
    whole = runwatch("logs", cwd=tmp_path).stdout.decode()
    assert "careful" in whole
    assert "plain" in whole
    assert "\x1b" not in whole, "a pager behind the pipe would obey it"
    assert "]0;owned" in whole
    level = runwatch("logs", "--level", "error", "--component", "stderr", cwd=tmp_path).stdout.decode()
    assert [line.split(" ", 3)[-1].strip() for line in level.splitlines()] == ["it broke"]
    assert runwatch("logs", "--grep", "pl.in", "--component", "stdout", cwd=tmp_path).stdout.count(b"\n") == 1
    shutil.rmtree(run.dir / "logs")
    assert runwatch("logs", cwd=tmp_path).stdout.decode() == whole
    nothing = runwatch("logs", "--step", "7", cwd=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (1, b"")
    assert b"no step 7" in nothing.stderr


def test_stop_ends_a_live_run_and_wait_returns_its_code(tmp_path: Path) -> None:
    process = start("sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)[0]["live"]
    assert runwatch("finalize", cwd=tmp_path).returncode == 1
    assert runwatch("stop", cwd=tmp_path).returncode == 0
    assert runwatch("wait", cwd=tmp_path).returncode == 9
    process.communicate(timeout=60)
    metadata = json.loads(runwatch("show", "--json", cwd=tmp_path).stdout)["run"]
    assert (metadata["status"], metadata["exit_code"]) == ("interrupted", 9)
    assert "runwatch stop" in metadata["reason"]
    again = runwatch("stop", cwd=tmp_path)
    assert again.returncode == 1
    assert b"is not live" in again.stderr


def test_a_detached_run_goes_on_by_itself(tmp_path: Path) -> None:
    done = runwatch("run", "--detach", "--", "sh", "-c", "while [ ! -e go ]; do sleep 0.02; done; exit 4", cwd=tmp_path)
    assert done.returncode == 0
    for word in (b"runwatch watch", b"runwatch wait", b"runwatch stop"):
        assert word in done.stderr
    (tmp_path / "go").touch()
    assert runwatch("wait", cwd=tmp_path).returncode == 4


def test_a_run_whose_processes_are_gone_is_recovered_with_its_reason(tmp_path: Path) -> None:
    repository(tmp_path)
    process = start("sh", "-c", "echo $$; exec sleep 600", cwd=tmp_path)
    assert process.stdout is not None
    command = int(process.stdout.readline())
    run = wait_for(lambda: [path.parent for path in tmp_path.glob("runs/*/*/metadata.json")], "the first flush")[0]
    recorders = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if b"runwatch.record.recorder" in _read(path / "cmdline") and str(run).encode() in _read(path / "cmdline")
    ]
    os.kill(process.pid, signal.SIGSTOP)  # else it may start another recorder
    for pid in (*recorders, process.pid, command):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)[0]["status"] != "running"
    done = runwatch("recover", "--json", cwd=tmp_path)
    assert [(each["done"], each["status"]) for each in json.loads(done.stdout)] == [("finalized", "crashed")]
    assert runwatch("verify", cwd=tmp_path).returncode == 0
    assert runwatch("recover", cwd=tmp_path).stdout == b""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_verify_finds_a_flipped_byte_and_extract_gets_files_back(tmp_path: Path) -> None:
    run = record("sh", "-c", "echo hello", cwd=tmp_path)
    assert runwatch("extract", "@1", "logs/stdout.log", "--to", "out", cwd=tmp_path).returncode == 0
    assert (tmp_path / "out" / run.dir.name / "logs" / "stdout.log").read_bytes() == b"hello\n"
    data = bytearray((run.dir / "run.tar.gz").read_bytes())
    data[len(data) // 2] ^= 1
    (run.dir / "run.tar.gz").write_bytes(data)
    done = runwatch("verify", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_run_deleted_under_way_is_said_and_leaves_no_trace_in_git(tmp_path: Path) -> None:
    repository(tmp_path)
    wait = "while [ ! -e runs/default/*/metadata.json ]; do sleep 0.02; done"
    done = runwatch("run", "--", "sh", "-c", f"{wait}; rm -rf runs; echo after; exit 6", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (6, b"after\n")
    assert b"was deleted" in done.stderr
    assert git("status", "--porcelain", cwd=tmp_path) == ""


def test_a_full_disk_keeps_the_exact_status(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mount is not permitted here: a small file system cannot be made")
    try:
        script = "seq 1 600000; exit 4"
        done = runwatch("run", "--runs-dir", str(folder / "runs"), "--", "sh", "-c", script, cwd=tmp_path)
        assert done.returncode == 4
        assert done.stdout.count(b"\n") == 600_000
        subprocess.run(["mount", "-o", "remount,size=40m", folder], check=True)
        assert runwatch("recover", "--runs-dir", str(folder / "runs"), cwd=tmp_path).returncode == 0
        run = next(folder.glob("runs/*/*/metadata.json"))
        metadata = json.loads(run.read_bytes())
        assert (metadata["status"], metadata["exit_code"]) == ("failed", 4)
        assert "of output not logged since" in (run.parent / "logs_summary.txt").read_text()
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_init_replaces_a_former_line_and_the_next_run_is_tracked_without_a_trace(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / ".gitignore").write_text("runs/\n")
    done = runwatch("init", cwd=tmp_path)
    assert done.returncode == 0
    assert b"'runs/'" in done.stderr
    run = record("true", cwd=tmp_path)
    assert "runs/" not in git("status", "--porcelain", cwd=tmp_path)
    assert not (run.dir / ".gitignore").exists()
    with tarfile.open(run.dir / "run.tar.gz") as archive:
        assert archive.getnames()


def test_a_journal_with_garbage_is_counted_and_nothing_is_lost(tmp_path: Path) -> None:
    script = 'printf \'garbage\\n\\377\\n{"type":"llm.comple\' >> $RUNWATCH_RUN_DIR/events.jsonl; exit 0'
    run = record("sh", "-c", script, cwd=tmp_path)
    assert run.done.returncode == 0
    journal = run.json("metrics.json")["journal"]
    assert journal["unreadable"] >= 2
    assert b"unreadable" in runwatch("show", cwd=tmp_path).stdout.lower()
    assert run.json("metadata.json")["status"] == "completed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[capture]\nmod = 'pty'\n", ("runwatch.toml", "line 2", "mod", "mode")),
        ("[capture]\nmode = 'tape'\n", ("runwatch.toml", "line 2", "tape")),
        ("[capture\n", ("runwatch.toml", "line 1")),
        ('[run]\n[tui]\ntheme = "nope"\n', ("runwatch.toml, line 3", "nope", "runwatch-dark")),
        ('[keys]\n"log.next" = "n"\n"app.quit" = "!!!"\n', ("runwatch.toml, line 3", "!!!", "app.quit")),
        ('[keys]\n"app.qiut" = "q"\n', ("runwatch.toml, line 2", "app.qiut", "app.quit")),
    ],
)
def test_a_bad_configuration_is_one_sentence_with_file_and_line(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "runwatch.toml").write_text(text)
    done = runwatch("run", "--", "touch", "started", cwd=tmp_path)
    assert done.returncode == 125
    assert not (tmp_path / "started").exists()
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr.decode(), done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_bad_theme_from_the_environment_is_told_with_the_variable(tmp_path: Path) -> None:
    done = runwatch("run", "--", "touch", "started", cwd=tmp_path, env={"RUNWATCH_TUI_THEME": "nope"})
    assert done.returncode == 125
    assert done.stderr.startswith(b"runwatch: RUNWATCH_TUI_THEME: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--hedless", "--", "true"], 125, ("--hedless", "Did you mean", "--headless")),
        (["run", "--stdin", "nul", "--", "true"], 125, ("nul", "'null'", "runwatch run --help")),
        (["run", "--framework", "a/b", "--", "true"], 125, ("a/b", "letters")),
        (["ls", "--jsn"], 2, ("--jsn", "--json")),
        (["ls", "--limit", "many"], 2, ("many", "runwatch ls --help")),
        (["recovr"], 2, ("recovr", "`runwatch recover`")),
        (["xyzzy"], 2, ("xyzzy", "`runwatch --help`")),
        (["finalize", "--from", "archiv"], 2, ("archiv", "nearest is archive,")),
        (["emit"], 2, ("TYPE", "runwatch emit --help")),
        (["show", "nothing"], 1, ("nothing", "runwatch ls")),
    ],
)
def test_wrong_use_is_one_sentence_with_value_and_remedy(
    tmp_path: Path, arguments: list[str], code: int, words: tuple[str, ...]
) -> None:
    done = runwatch(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr.decode(), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_runwatch_alone_shows_its_help(tmp_path: Path) -> None:
    done = runwatch(cwd=tmp_path)
    assert done.returncode == 2
    assert b"\nCommands:\n" in done.stderr


def test_a_runs_folder_that_cannot_be_is_told_with_its_reason_and_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = runwatch("run", "--runs-dir", "file/x", "--", "sh", "-c", "echo out; exit 3", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, b"out\n")
    assert f"below {tmp_path}/file/x: {tmp_path}/file is no folder: choose another" in done.stderr.decode()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_options_and_runs(shell: str, tmp_path: Path) -> None:
    run = record("true", cwd=tmp_path)

    def completed(words: str) -> list[str]:
        typed = words.rpartition(" ")[2]
        env = {"COMP_WORDS": words if shell != "fish" else words.removesuffix(typed), "COMP_CWORD": typed}
        if shell != "fish":
            env["COMP_CWORD"] = str(words.count(" "))
        env["_RUNWATCH_COMPLETE"] = f"{shell}_complete"
        done = subprocess.run([PROGRAM], cwd=tmp_path, env={**os.environ, **env}, capture_output=True, check=True)
        return done.stdout.decode().replace(",", "\n").replace("\t", "\n").splitlines()

    assert "recover" in completed("runwatch rec")
    assert "--json" in completed("runwatch recover --js")
    assert run.dir.name in completed(f"runwatch show {run.dir.name[:8]}")
    script = subprocess.run(
        [PROGRAM], env={**os.environ, "_RUNWATCH_COMPLETE": f"{shell}_source"}, capture_output=True, check=True
    )
    assert b"_RUNWATCH_COMPLETE=" in script.stdout


def test_a_detached_run_outlives_its_terminal_and_wait_gives_its_code(tmp_path: Path) -> None:
    controller, terminal = os.openpty()
    script = "while [ ! -e go ]; do sleep 0.02; done; echo out; exit 4"
    process = subprocess.Popen(
        [*RUNWATCH, "run", "--detach", "--", "sh", "-c", script],
        cwd=tmp_path, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(terminal)
    assert process.wait(60) == 0
    said = os.read(controller, 65536).decode()
    run = run_dir(tmp_path)
    for word in ("watch", "wait", "stop"):
        assert f"runwatch {word} {run.name}" in said
    os.close(controller)  # the terminal is closed, and all that hang on it get SIGHUP
    assert json.loads(runwatch("ls", "--json", cwd=tmp_path).stdout)[0]["live"]
    (tmp_path / "go").touch()
    assert runwatch("wait", run.name, cwd=tmp_path).returncode == 4
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["exit_code"]) == ("failed", 4)
    assert (run / "logs" / "stdout.log").read_bytes() == b"out\n"


def test_finalize_repeats_from_a_stage_and_commits_no_second_time(tmp_path: Path) -> None:
    repository(tmp_path)
    run = record("sh", "-c", "echo hi", cwd=tmp_path)
    before = json.loads((run.dir / "finalize.json").read_bytes())
    summary = (run.dir / "logs_summary.txt").read_bytes()
    done = runwatch("finalize", "--from", "summary_final", "--json", cwd=tmp_path)
    after = json.loads(done.stdout)
    assert done.returncode == 0
    repeated = {name for name in before["stages"] if before["stages"][name]["at"] != after["stages"][name]["at"]}
    assert repeated == {"summary_final", "commit", "done"}
    assert (run.dir / "logs_summary.txt").read_bytes() == summary
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path) == "2\n"
    assert after["commit"]["sha"] == git("rev-parse", "HEAD", cwd=tmp_path).strip()
