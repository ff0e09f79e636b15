"""How a run ends under every shell, terminal and shortage that it is started from: the command's own end, exactly."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from integration.recorded import RUNWATCH, record, run_dir, runwatch, start, wait_for

RUN = " ".join([*RUNWATCH, "run", "--headless", "--quiet", "--"])
STUBBORN = "trap 'echo polite' TERM INT HUP QUIT; echo ready; while :; do sleep 0.05; done"


def ended(cwd: Path) -> dict[str, Any]:
    """Wait for the end of the only run and return its metadata."""
    state = wait_for(lambda: list(cwd.glob("runs/*/*/finalize.json")), "the first word of the end")[0]
    wait_for(lambda: json.loads(state.read_bytes())["stages"].get("done", {}).get("done"), "the finalizer")
    metadata: dict[str, Any] = json.loads((state.parent / "metadata.json").read_bytes())
    return metadata


@pytest.mark.parametrize(
    ("code", "exit_code", "status"),
    [
        ("import os; os._exit(4)", 4, "failed"),
        ("import os; os.abort()", -signal.SIGABRT, "crashed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGQUIT)", -signal.SIGQUIT, "interrupted"),
        ("import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28,) * 2); bytearray(1 << 30)", 1, "failed"),
        (
            "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
            -signal.SIGKILL,
            "crashed",
        ),
    ],
    ids=["os._exit", "abort", "SIGQUIT", "no more memory", "no more processor time"],
)
def test_an_end_of_the_commands_own_is_exact(tmp_path: Path, code: str, exit_code: int, status: str) -> None:
    run = record(sys.executable, "-c", code, cwd=tmp_path)
    assert run.done.returncode == exit_code
    metadata = run.json("metadata.json")
    name = signal.Signals(-exit_code).name if exit_code < 0 else None
    assert (metadata["status"], metadata["exit_code"], metadata["signal"]) == (
        status, exit_code if exit_code >= 0 else None, name,
    )  # fmt: skip
    assert "core" not in " ".join(path.name for path in tmp_path.iterdir() if path.is_file())


@pytest.mark.parametrize(("times", "code", "reason"), [(2, None, ""), (3, -9, "killed at the third request")])
def test_a_second_request_goes_on_to_sigterm_and_a_third_kills(
    tmp_path: Path, times: int, code: int | None, reason: str
) -> None:
    process = start("bash", "-c", STUBBORN, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        if _ < 2:  # else two of a kind that wait together are one
            assert process.stdout.readline() == b"polite\n"
    if code is None:
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    metadata = ended(tmp_path)
    assert (metadata["status"], metadata["signal"]) == ("interrupted", "SIGKILL")
    assert reason in metadata["reason"]


def test_what_nohup_and_a_shells_background_ignore_stays_ignored(tmp_path: Path) -> None:
    script = "trap '' HUP INT; exec " + RUN + " sh -c 'kill -HUP $$; kill -INT $$; kill -TERM $$'"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGTERM
    assert ended(tmp_path)["signal"] == "SIGTERM"
    # And the supervisor ignores them itself: the run goes on when only it is told.
    again = tmp_path / "again"
    again.mkdir()
    process = subprocess.Popen(
        ["sh", "-c", f"trap '' HUP INT; exec {RUN} sh -c 'echo ready; read line'"],
        cwd=again, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    for number in (signal.SIGHUP, signal.SIGINT):
        process.send_signal(number)
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0
    assert ended(again)["status"] == "completed"


def test_a_caller_that_ignores_the_end_of_its_children_takes_no_exit_code_away(tmp_path: Path) -> None:
    words = [*RUNWATCH, "run", "--headless", "--", "sh", "-c", "exit 7"]
    code = f"import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv({sys.executable!r}, {words!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 7, done.stderr
    assert ended(tmp_path)["exit_code"] == 7


class Terminal:
    """A pseudo-terminal with a program in it that leads its session."""

    def __init__(self, argv: list[str], cwd: Path) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["PS1"] = "> "
            os.execvp(argv[0], argv)
        self.seen = b""
        self.status: int | None = None

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.fd, text.encode())

    def wait_for(self, text: bytes) -> None:
        """Wait until the terminal has shown a text since the last time."""
        os.set_blocking(self.fd, False)

        def shown() -> bool:
            try:
                self.seen += os.read(self.fd, 65536)
            except BlockingIOError:
                pass
            except OSError:
                return text in self.seen
            return text in self.seen

        wait_for(shown, f"{text!r} on the terminal")
        self.seen = self.seen.partition(text)[2]

    def hang_up(self) -> None:
        """Close the terminal."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def ended(self) -> int:
        """Wait for the program and return its code."""
        if self.status is None:
            self.status = wait_for(lambda: (found := os.waitpid(self.pid, os.WNOHANG)) != (0, 0) and found, "its end")[
                1
            ]
        return os.waitstatus_to_exitcode(self.status)

    def clean_up(self) -> None:
        """Kill what is left."""
        self.hang_up()
        if self.status is None:
            for process in [*psutil.Process(self.pid).children(recursive=True), psutil.Process(self.pid)]:
                process.kill()
            os.waitpid(self.pid, 0)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Terminals that are closed at the end."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.clean_up()


def test_ctrl_z_and_fg_work_as_for_any_program(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path))
    terminal.wait_for(b"> ")
    terminal.type(f"{RUN} sh -c 'echo in''side; read line; echo got $line; exit 5'\n")
    terminal.wait_for(b"inside")
    terminal.type("\x1a")
    terminal.wait_for(b"Stopped")
    terminal.wait_for(b"read line")
    terminal.type("fg\n")
    terminal.wait_for(b"read line")  # bash names the job that goes on
    terminal.type("word\n")
    terminal.wait_for(b"got word")
    terminal.type("echo code $?\n")
    terminal.wait_for(b"code 5")
    assert ended(tmp_path)["exit_code"] == 5
    terminal.type("exit\n")


def test_ctrl_c_reaches_the_command_once_and_the_run_is_interrupted(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path))
    terminal.wait_for(b"> ")
    script = (
        "n=0; trap 'n=$((n+1))' INT; echo in''side; sleep 0.5; while [ $n = 0 ]; do sleep 0.1; done; sleep 0.3; exit $n"
    )
    (tmp_path / "script.sh").write_text(script)
    terminal.type(f"{RUN} bash script.sh\n")
    terminal.wait_for(b"inside")
    terminal.type("\x03")
    metadata = ended(tmp_path)
    assert (metadata["status"], metadata["exit_code"]) == ("interrupted", 1)
    assert "Ctrl-C" in metadata["reason"]


@pytest.mark.parametrize("leads", [True, False], ids=["runwatch leads the session", "a shell does"])
def test_a_closed_terminal_ends_the_run_politely(tmp_path: Path, terminals: list[Terminal], leads: bool) -> None:
    marker = tmp_path / "told"
    (tmp_path / "script.sh").write_text(
        f"trap 'echo hup >> {marker}; exit 3' HUP; echo in''side; while :; do sleep 0.05; done"
    )
    command = [*RUNWATCH, "run", "--headless", "--quiet", "--", "bash", "script.sh"]
    terminals.append(terminal := Terminal(command if leads else ["bash", "--norc", "--noprofile", "-i"], tmp_path))
    if not leads:
        terminal.wait_for(b"> ")
        terminal.type(" ".join(command) + "\n")
    terminal.wait_for(b"inside")
    terminal.hang_up()
    metadata = ended(tmp_path)
    assert marker.exists(), metadata
    assert marker.read_text().startswith("hup\n")
    assert (metadata["status"], metadata["exit_code"]) == ("interrupted", 3)
    assert "SIGHUP" in metadata["reason"]


def test_a_signal_that_comes_before_the_supervisor_is_there_stops_the_run(tmp_path: Path) -> None:
    process = start("sleep", "600", cwd=tmp_path)
    wait_for(lambda: list(tmp_path.glob("runs/*/*")), "the run directory")
    process.send_signal(signal.SIGTERM)  # the supervisor is not even loaded
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert ended(tmp_path)["status"] == "interrupted"


def test_what_the_command_left_behind_is_named_and_ended_only_where_configured(tmp_path: Path) -> None:
    pids = []
    for configured in (False, True):
        cwd = tmp_path / str(configured)
        cwd.mkdir()
        (cwd / "runwatch.toml").write_text(f"[run]\nend_leftovers = {str(configured).lower()}\n")
        run = record("sh", "-c", "sleep 601 >/dev/null 2>&1 & echo $!", cwd=cwd)
        pids.append(int(run.done.stdout))
        (warning,) = [event["message"] for event in run.events() if event["type"] == "warning"]
        assert f"sleep 601 (pid {pids[-1]})" in warning
        assert ("ended" in warning) == configured
        assert f"sleep 601 (pid {pids[-1]})" in run.done.stderr.decode()
    left, taken = pids
    assert psutil.Process(left).status() != psutil.STATUS_ZOMBIE
    os.kill(left, signal.SIGKILL)
    assert not psutil.pid_exists(taken) or psutil.Process(taken).status() == psutil.STATUS_ZOMBIE


def test_a_killed_supervisors_command_goes_with_all_that_it_started(tmp_path: Path) -> None:
    process = start("sh", "-c", "sleep 602 & echo $!; wait", cwd=tmp_path)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    wait_for(lambda: list(tmp_path.glob("runs/*/*/metadata.json")), "the recorder")
    process.kill()
    process.communicate(timeout=60)
    assert ended(tmp_path)["status"] == "crashed"
    wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, "its end")


def test_after_three_deaths_in_a_minute_the_run_goes_on_unfolded_and_is_finalized(tmp_path: Path) -> None:
    process = start("sh", "-c", "echo ready; read line; exit 6", cwd=tmp_path, stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    former: set[int] = set()

    def another() -> int | None:
        found = psutil.Process(process.pid).children()
        new = (each.pid for each in found if each.pid not in former and "runwatch.record.recorder" in each.cmdline())
        return next(new, None)

    for _ in range(3):
        former.add(wait_for(another, "a recorder"))
        for pid in former:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    journal = run_dir(tmp_path) / "events.jsonl"
    wait_for(lambda: journal.read_bytes().count(b'"recorder.replaced"') == 3, "the third word")
    assert b"goes on unfolded" in journal.read_bytes()
    _, err = process.communicate(b"\n", timeout=60)
    assert process.returncode == 6
    assert b"unfolded" in err
    assert ended(tmp_path)["exit_code"] == 6
    assert runwatch("verify", cwd=tmp_path).returncode == 0


def test_a_killed_app_does_nothing_to_the_run(tmp_path: Path, terminals: list[Terminal]) -> None:
    script = "echo started; while [ ! -e go ]; do sleep 0.05; done; exit 5"
    terminals.append(terminal := Terminal([*RUNWATCH, "run", "--", "sh", "-c", script], tmp_path))
    wait_for(lambda: list(tmp_path.glob("runs/*/*/metadata.json")), "the first flush")
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.ended() == -signal.SIGKILL
    (tmp_path / "go").touch()
    metadata = ended(tmp_path)
    assert (metadata["status"], metadata["exit_code"]) == ("failed", 5)


def test_a_run_that_its_command_deletes_is_said_to_be_gone_in_one_line(tmp_path: Path) -> None:
    done = runwatch("run", "--", "sh", "-c", "rm -rf runs; exit 3", cwd=tmp_path)
    assert done.returncode == 3
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"runwatch: {tmp_path}/runs/default/")
    assert line.endswith(" was deleted or moved away while the command ran: it is not finalized.")
    assert list(tmp_path.glob("runs/*/*")) == []


@pytest.fixture
def first_process() -> list[str]:
    """Words that make what follows process 1, as a container does."""
    words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    words = words if os.getuid() == 0 else [*words[:1], "--user", "--map-root-user", *words[1:]]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare (Debian package util-linux) cannot make a PID namespace here")
    return words


@pytest.mark.parametrize(("number", "status"), [(9, "crashed"), (15, "interrupted")])
def test_process_1_of_a_container_ends_with_the_code_of_the_signal_that_ended_the_command(
    tmp_path: Path, first_process: list[str], number: int, status: str
) -> None:
    command = [*RUNWATCH, "run", "--headless", "--quiet", "--", "sh", "-c", f"kill -{number} $$"]
    done = subprocess.run([*first_process, *command], cwd=tmp_path, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 128 + number
    metadata = json.loads((run_dir(tmp_path) / "metadata.json").read_bytes())
    assert (metadata["status"], metadata["signal"]) == (status, signal.Signals(number).name)


def test_process_1_of_a_container_reaps_what_the_command_leaves_behind(
    tmp_path: Path, first_process: list[str]
) -> None:
    script = """
        n=0; while [ $n -lt 20 ]; do sh -c 'sleep 0.01 &'; n=$((n+1)); done
        sleep 0.5
        while cat /proc/[0-9]*/stat 2>/dev/null | grep -q ') Z 1 '; do sleep 0.02; done
        exit 4
    """
    command = [*RUNWATCH, "run", "--headless", "--quiet", "--", "sh", "-c", script]
    done = subprocess.run([*first_process, *command], cwd=tmp_path, stdin=subprocess.DEVNULL, check=False, timeout=60)
    assert done.returncode == 4
