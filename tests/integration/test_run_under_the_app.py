"""``runwatch run`` on a terminal: a real pseudo-terminal, the real app, real keys."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
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

    def __init__(self, cwd: Path, *command: str) -> None:
        self.screen = b""
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = subprocess.Popen(
            [*RUNWATCH, "run", "--", *command], cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
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
