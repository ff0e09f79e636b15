"""``runwatch run`` on a terminal: a real pseudo-terminal, the real app, real keys."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

from integration.recorded import PATIENCE_S, RUNWATCH, repository, run_dir, wait_for


class Terminal:
    """A terminal of 100 × 30 with ``runwatch run`` in it."""

    def __init__(self, cwd: Path, *command: str, options: tuple[str, ...] = ()) -> None:
        self.screen = b""
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = subprocess.Popen(
            [*RUNWATCH, "run", *options, "--", *command], cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, env={**os.environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none"},
        )  # fmt: skip
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            if not data:
                return
            self.screen += data

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def shows(self, text: bytes) -> None:
        """Wait until the program has written ``text``."""
        wait_for(lambda: text in self.screen, f"{text!r} in {self.screen[-2000:]!r}")

    def status(self) -> int:
        """Wait for the end and return the exit code, negative for a signal."""
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self._reader.join(PATIENCE_S)
            os.close(self.fd)


def _state(cwd: Path) -> dict[str, object]:
    """Return metadata.json once the run is finalized."""
    run = wait_for(lambda: [path.parent for path in cwd.glob("runs/*/*/events.jsonl")], "the run")[0]

    def done() -> bool:
        try:
            return bool(json.loads((run / "finalize.json").read_bytes())["stages"]["done"]["done"])
        except (OSError, ValueError, KeyError):
            return False

    wait_for(done, "the finalizer")
    found: dict[str, object] = json.loads((run / "metadata.json").read_bytes())
    return found


def test_the_app_shows_the_run_and_the_shell_gets_four_lines_and_the_commands_code(tmp_path: Path) -> None:
    repository(tmp_path)
    script = "import os; print(os.isatty(1), os.isatty(0), os.environ['PAGER']); raise SystemExit(7)"
    terminal = Terminal(tmp_path, sys.executable, "-c", script)
    _state(tmp_path)
    terminal.shows(b"EXPERIMENT RUN SUMMARY")
    terminal.press(b"q")
    assert terminal.status() == 7
    first_frame = terminal.screen.split(b"\x1b[1;1H")[1]
    assert b"Steps" in first_frame
    assert b"logs" in first_frame
    tail = terminal.screen[terminal.screen.rfind(b"\x1b[?1049l") :].decode()
    assert re.findall(r"runwatch: (\w+) ", tail) == ["result", "summary", "archive", "commit"]
    assert (run_dir(tmp_path) / "logs" / "stdout.log").read_bytes() == b"True False cat\n"


def test_leaving_lets_the_run_go_on_and_says_how_to_come_back(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; exit 3")
    terminal.shows(b"running")
    terminal.press(b"q")
    terminal.shows(b"leave")
    terminal.press(b"q")
    assert terminal.status() == 0
    for word in (b"runwatch watch", b"runwatch wait", b"runwatch stop"):
        assert word in terminal.screen
    (tmp_path / "go").touch()
    assert _state(tmp_path)["exit_code"] == 3


def test_ctrl_c_twice_stops_the_run(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "sleep", "600")
    terminal.shows(b"running")
    terminal.press(b"\x03")
    terminal.shows(b"stop it")
    terminal.press(b"\x03")
    found = _state(tmp_path)
    assert (found["status"], found["signal"]) == ("interrupted", "SIGINT")
    terminal.shows(b"EXPERIMENT RUN SUMMARY")
    terminal.press(b"q")
    assert terminal.status() == -signal.SIGINT


def test_ctrl_c_before_the_app_is_up_stops_the_run_too(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "sh", "-c", "echo ready; exec sleep 600")
    wait_for(lambda: list(tmp_path.glob("runs/*/*/control.sock")), "the supervisor")
    terminal.process.send_signal(signal.SIGINT)
    assert _state(tmp_path)["status"] == "interrupted"
    terminal.shows(b"EXPERIMENT RUN SUMMARY")
    terminal.press(b"q")
    assert terminal.status() == -signal.SIGINT


def test_a_closed_terminal_leaves_the_run_alone(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done")
    terminal.shows(b"running")
    terminal.process.send_signal(signal.SIGHUP)
    terminal.status()
    (tmp_path / "go").touch()
    found = _state(tmp_path)
    assert (found["status"], found["exit_code"]) == ("completed", 0)


def test_nothing_from_a_log_is_obeyed_by_the_terminal(tmp_path: Path) -> None:
    hostile = r"printf '\033]0;owned\007 \033[2J [/nope] [bold] \x9b31m \xe2\x80\xae end\n'"
    terminal = Terminal(tmp_path, "sh", "-c", f"{hostile}; while [ ! -e go ]; do sleep 0.05; done")
    terminal.shows(b"[/nope]")
    (tmp_path / "go").touch()
    _state(tmp_path)
    terminal.shows(b"EXPERIMENT RUN SUMMARY")
    terminal.press(b"q")
    terminal.status()
    assert b"\x1b]0;owned" not in terminal.screen
    assert "\u202e".encode() not in terminal.screen
    assert b"\x9b31m" not in terminal.screen


def test_a_program_that_reads_meets_the_end_and_is_pointed_out(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, sys.executable, "-c", "input()")
    found = _state(tmp_path)
    assert found["exit_code"] == 1
    terminal.shows(b"EXPERIMENT RUN SUMMARY")
    terminal.press(b"q")
    assert terminal.status() == 1
    assert "--headless" in (run_dir(tmp_path) / "logs_summary.txt").read_text()


def test_a_signal_to_the_app_is_the_commands_and_the_terminal_is_as_it_was(tmp_path: Path) -> None:
    script = "trap 'echo told; exit 5' USR1 TERM; echo ready; while :; do sleep 0.05; done"
    terminal = Terminal(tmp_path, "sh", "-c", script)
    terminal.shows(b"ready")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.status() == 5, "it closes by itself: who sent the signal waits for the end"
    found = _state(tmp_path)
    assert (found["status"], found["exit_code"]) == ("interrupted", 5)
    assert b"\x1b[?1049l" in terminal.screen
    assert b"runwatch: result" in terminal.screen[terminal.screen.rfind(b"\x1b[?1049l") :]


def test_a_run_that_is_renamed_goes_on_in_the_app_and_is_stopped_there(tmp_path: Path) -> None:
    repository(tmp_path)
    terminal = Terminal(tmp_path, "sh", "-c", "trap 'exit 9' INT; while :; do sleep 0.05; done")
    terminal.shows(b"running")
    wait_for(lambda: (run_dir(tmp_path) / "metadata.json").exists(), "the recorder")
    (tmp_path / "runs").rename(tmp_path / "old")
    (run,) = (path.parent for path in (tmp_path / "old").glob("default/*/events.jsonl"))
    terminal.press(b"\x03")
    terminal.shows(b"stop it")
    terminal.press(b"\x03")
    terminal.shows(b"EXPERIMENT RUN SUMMARY")
    terminal.press(b"q")
    assert terminal.status() == 9
    assert f"summary  old/default/{run.name}/logs_summary.txt".encode() in terminal.screen
    assert json.loads((run / "metadata.json").read_bytes())["status"] == "interrupted"
    assert b"is not there any more" not in terminal.screen


def test_a_run_whose_directory_is_deleted_ends_as_its_command_did_or_is_left_running(tmp_path: Path) -> None:
    waiting = "while [ ! -e go ]; do sleep 0.05; done; exit 9"
    folders = [tmp_path / "ends", tmp_path / "goes-on"]
    for folder in folders:
        folder.mkdir()
    terminals = [Terminal(folder, "sh", "-c", waiting) for folder in folders]
    for folder, terminal in zip(folders, terminals, strict=True):
        terminal.shows(b"running")
        shutil.rmtree(run_dir(folder))
        terminal.shows(b"its directory is not there any more")
    ends, goes_on = terminals
    (folders[0] / "go").touch()
    children = Path(f"/proc/{ends.process.pid}/task/{ends.process.pid}/children")
    supervisor = int(children.read_text().split()[0])
    wait_for(lambda: ") Z " in Path(f"/proc/{supervisor}/stat").read_text(), "the supervisor's end")
    for terminal in terminals:
        terminal.press(b"q")
    assert ends.status() == 9
    assert b"was deleted or moved away while the command ran: it is not finalized" in ends.screen
    assert goes_on.status() == 0
    said = re.search(rb"The command goes on: `kill (\d+)` ends it", goes_on.screen)
    assert said is not None
    os.kill(int(said[1]), signal.SIGKILL)
    (folders[1] / "go").touch()


def test_who_wants_the_input_for_the_command_gets_no_app(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, sys.executable, "-c", "print('got', input())", options=("--stdin", "inherit"))
    wait_for(lambda: list(tmp_path.glob("runs/*/*/control.sock")), "the supervisor")
    terminal.press(b"some words\n")
    assert terminal.status() == 0
    assert b"got some words" in terminal.screen
    assert b"\x1b[?1049h" not in terminal.screen
    done = subprocess.run(
        [*RUNWATCH, "run", "--detach", "--run-id", "piped", "--stdin", "inherit", "--", "cat"],
        cwd=tmp_path, input=b"from a pipe\n", capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert subprocess.run([*RUNWATCH, "wait", "piped"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert (tmp_path / "runs/default/piped/logs/stdout.log").read_bytes() == b"from a pipe\n"
