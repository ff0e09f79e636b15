"""Limits on files, processes, memory and file sizes: the command runs as it would, and what is missing is said.

The limits are set by the shell that starts runwatch, as a user or a job scheduler does.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from integration.recorded import RUNWATCH, runwatch, wait_for

SCRIPT = "ulimit -S {letter}; ulimit -H {letter}; echo out; echo err >&2; exit 5"
OTHER_USERS = 31_000
"""The limit counts all processes of a user: each test is one of its own, who has no others."""
RIGHTS = "+dac_override,+dac_read_search"
"""So that the other user finds the interpreter wherever it lies; none of them lifts the limit of processes."""


def limited(
    limit: str, command: list[str], cwd: Path, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Start ``command`` from a shell that has set ``limit``, words of its ``ulimit``."""
    line = f"ulimit {limit} || exit 99; exec {shlex.join(command)}"
    done = subprocess.run(
        [*prefix, "sh", "-c", line], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={**os.environ, "HOME": str(cwd)}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 99, "the shell cannot set the limit"
    return done


def outcome_of(folder: Path) -> dict[str, object] | None:
    """The only run's outcome; None where nothing was recorded."""
    found = list(folder.glob("runs/default/*/finalize.json"))
    outcome: dict[str, object] | None = json.loads(found[0].read_bytes())["outcome"] if found else None
    return outcome


def check(done: subprocess.CompletedProcess[str], alone: subprocess.CompletedProcess[str], folder: Path) -> None:
    """The command ran as without us; it is recorded with its status, or the reason why not is said and nothing left."""
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout), done.stderr
    assert "Traceback" not in done.stderr
    outcome = outcome_of(folder)
    if outcome is None:
        assert "runwatch: not recorded: " in done.stderr
        assert "ulimit" in done.stderr
        assert list(folder.glob("runs/default/*")) == []
    else:
        assert (outcome["status"], outcome["exit_code"]) == ("failed", 5)


@pytest.mark.parametrize("limit", ["-S -n 8", "-n 8", "-S -n 16", "-n 16", "-n 32", "-S -n 64"])
def test_the_command_runs_with_few_files_and_finds_the_limit_as_it_was(tmp_path: Path, limit: str) -> None:
    command = ["sh", "-c", SCRIPT.format(letter="-n")]
    alone = limited(limit, command, tmp_path)
    done = limited(limit, [*RUNWATCH, "run", "--headless", "--", *command], tmp_path)
    check(done, alone, tmp_path)
    if limit != "-n 8" and limit != "-S -n 8":
        assert outcome_of(tmp_path) is not None
    if "-S" in limit and outcome_of(tmp_path) is not None:  # what the hard limit allows us is enough for all of it
        assert list(tmp_path.glob("runs/default/*/run.tar.gz"))


def another_user(number: int) -> tuple[str, ...]:
    """Words in front of a command that make it another user's, who has no other processes."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing: the limit of processes does not hold for root")
    user = str(OTHER_USERS + number)
    return () if os.getuid() else (
        "setpriv", "--reuid", user, "--regid", user, "--clear-groups",
        "--inh-caps", RIGHTS, "--ambient-caps", RIGHTS,
    )  # fmt: skip


def letter_of_processes() -> str:
    """The shell's option for the limit of processes."""
    return "-p" if subprocess.run(["sh", "-c", "ulimit -p"], capture_output=True, check=False).returncode == 0 else "-u"


@pytest.mark.parametrize("processes", [1, 3, 4, 5, 7, 8, 12])
def test_the_command_starts_as_many_processes_as_without_us_and_is_recorded_where_they_do_not_need_all_there_are(
    tmp_path: Path, processes: int
) -> None:
    """Four are needed: from eight on there is room for what copies the output, and the recorder waits for the end."""
    letter, prefix = letter_of_processes(), another_user(processes)
    command = ["sh", "-c", f"sleep 0.1 & sleep 0.1 & sleep 0.1 & wait; {SCRIPT.format(letter=letter)}"]
    alone = limited(f"{letter} {processes}", command, tmp_path, prefix)
    done = limited(f"{letter} {processes}", [*RUNWATCH, "run", "--headless", "--", *command], tmp_path, prefix)
    assert (alone.returncode == 5) == (processes >= 4)
    said = [line for line in done.stderr.splitlines() if line.startswith("runwatch: ")]
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout), done.stderr
    assert [line for line in done.stderr.splitlines() if line not in said] == alone.stderr.splitlines()
    outcome = outcome_of(tmp_path)
    if processes < 8:
        assert (outcome, list(tmp_path.glob("runs/default/*"))) == (None, [])
        assert [line.split(":")[1] for line in said] == [" not recorded"]
        assert "raise `ulimit -u`" in said[0]
    else:
        assert outcome is not None
        assert (outcome["status"], outcome["exit_code"]) == ("failed", 5)
        assert said[0].startswith(f"runwatch: room for {processes - 1} more processes")
        assert list(tmp_path.glob("runs/default/*/run.tar.gz"))


def test_doctor_names_a_limit_of_processes_that_keeps_runs_from_being_recorded_or_followed(tmp_path: Path) -> None:
    for limit, level in ((6, "fault"), (20, "warning"), (4000, None)):
        command = [*RUNWATCH, "doctor", "--json"]
        done = limited(f"{letter_of_processes()} {limit}", command, tmp_path, another_user(900))
        levels = [each["level"] for each in json.loads(done.stdout) if each["check"] == "processes"]
        assert levels == ([level] if level else []), done.stdout


@pytest.mark.parametrize("memory_kib", [30_000, 40_000, 60_000])
def test_the_command_runs_with_little_memory(tmp_path: Path, memory_kib: int) -> None:
    command = ["sh", "-c", SCRIPT.format(letter="-v")]
    alone = limited(f"-v {memory_kib}", command, tmp_path)
    done = limited(f"-v {memory_kib}", [*RUNWATCH, "run", "--headless", "--", *command], tmp_path)
    if done.returncode == 125:  # an interpreter of another size: said before anything started
        assert "runwatch: " in done.stderr
        assert done.stdout == ""
        return
    check(done, alone, tmp_path)
    if outcome_of(tmp_path) is not None:
        runwatch("finalize", cwd=tmp_path)
        assert list(tmp_path.glob("runs/default/*/run.tar.gz"))


def test_a_command_that_dies_of_the_limit_of_file_sizes_dies_so_under_us_and_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    script = "echo out; ulimit -f; head -c 2000000 /dev/zero > big; echo never"
    command = ["sh", "-c", f"trap '' TERM; exec sh -c {shlex.quote(script)}"]
    alone = limited("-f 1000", command, tmp_path / "alone")
    done = limited("-f 1000", [*RUNWATCH, "run", "--headless", "--", *command], tmp_path)
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout), done.stderr
    assert (tmp_path / "big").stat().st_size == (tmp_path / "alone" / "big").stat().st_size
    assert outcome_of(tmp_path) is not None


def test_output_beyond_the_limit_of_file_sizes_passes_through_and_is_counted(tmp_path: Path) -> None:
    command = ["sh", "-c", "head -c 3000000 /dev/zero; exit 5"]
    done = limited("-f 1000", [*RUNWATCH, "run", "--headless", "--", *command], tmp_path)
    assert (done.returncode, done.stdout) == (5, "\0" * 3_000_000)
    (run,) = tmp_path.glob("runs/default/*")
    logged = (run / "logs" / "stdout.log").stat().st_size
    assert 0 < logged < 3_000_000
    runwatch("finalize", cwd=tmp_path)
    metrics = json.loads((run / "metrics.json").read_bytes())
    assert metrics["journal"]["lost_output_bytes"] == 3_000_000 - logged
    assert "of output not logged" in done.stderr


def test_a_recorder_that_runs_out_of_memory_is_replaced_and_the_command_goes_on(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo one; while [ ! -e {go} ]; do sleep 0.02; done; echo two; exit 5"
    process = subprocess.Popen(
        [*RUNWATCH, "run", "--headless", "--", "sh", "-c", script],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(lambda: list(tmp_path.glob("runs/default/*/metrics.json")), "the recorder")
        (run,) = tmp_path.glob("runs/default/*")
        recorder = next(pid for pid in _children(process.pid) if b"runwatch.record.recorder" in _words(pid))
        size = 1024 * int(Path(f"/proc/{recorder}/statm").read_text().split()[0]) * 4
        limit = [
            sys.executable,
            "-c",
            "import resource, sys; resource.prlimit(*map(int, sys.argv[1:3]), (int(sys.argv[3]),) * 2)",
        ]
        import resource

        subprocess.run([*limit, str(recorder), str(resource.RLIMIT_AS), str(size)], check=True)
        events = run / "events.jsonl"
        with events.open("ab") as file:  # one line that takes more memory than there is
            file.write(b'{"type":"error","message":"' + b"x" * (60 << 20) + b'"}\n')
        wait_for(lambda: b'"recorder.replaced"' in events.read_bytes()[-2000:], "another recorder")
        go.touch()
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (5, b"one\ntwo\n")
    assert b"MemoryError" in err
    assert b"Traceback" not in err
    assert json.loads((run / "metadata.json").read_bytes())["status"] == "failed"


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _words(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
