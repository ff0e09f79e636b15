"""A recorded program that can be killed at a chosen moment, and what it acknowledged until then.

Must not read what runwatch prints. The fault matrix and `benchmarks/faults.py` use it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import promises
from promises import Expected, Work, git

PATIENCE_S = 90.0
"""How long a condition may take on the slowest machine."""
PHASES = ("start", "step", "between", "rest")
"""What the program does, in this order; in each it emits until it is let into the next."""
When = Literal["start", "step", "between", "rest"]

PROGRAM = """
import os, sys, time
import runwatch

folder = sys.argv[1]
journal = os.open(os.path.join(folder, "acknowledged"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
number = 0

def emit():
    global number
    number += 1
    name = f"{os.getpid()}-{number}"
    if runwatch.current_run().emit("tool.completed", {"tool": "t", "call_id": name, "duration_s": 0.001}):
        os.write(journal, b"%s %f\\n" % (name.encode(), time.monotonic()))

def phase(name):
    os.write(journal, b"phase " + name.encode() + b"\\n")
    while True:
        emit()
        print("line", number, flush=True)
        if os.path.exists(os.path.join(folder, "after-" + name)):
            return
        time.sleep(0.005)

with runwatch.RunLogger(framework="fault") as run:
    run.issue(7, "an issue")
    phase("start")
    with run.step("one"):
        phase("step")
    phase("between")
    with run.step("two"):
        phase("rest")
"""


class Died(Exception):
    """What should have happened did not."""


def wait_for(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until ``condition`` gives something true, and return it."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.03)
    raise Died(f"waited {patience_s} s in vain for {what}")


def template(folder: Path) -> Path:
    """Make a repository in the middle of somebody's work: staged, changed and new files."""
    folder.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=folder)
    (folder / "a.txt").write_text("one\n")
    (folder / "b.txt").write_text("one\n")
    git("add", ".", cwd=folder)
    git("-c", "user.name=A", "-c", "user.email=a@example.invalid", "commit", "-qm", "first", cwd=folder)
    git("config", "user.name", "A Tester", cwd=folder)
    git("config", "user.email", "tester@example.invalid", cwd=folder)
    (folder / "a.txt").write_text("changed\n")
    (folder / "b.txt").write_text("staged\n")
    git("add", "b.txt", cwd=folder)
    (folder / "new.txt").write_text("new\n")
    return folder


class Subject:
    """One recorded program in a repository of its own: started, led through its phases, killed, checked."""

    def __init__(
        self,
        folder: Path,
        like: Path,
        *,
        alone: bool = False,
        environ: dict[str, str] | None = None,
        program: str = PROGRAM,
    ) -> None:
        """``like`` is a `template`; ``alone``: the program records itself, without ``runwatch run``."""
        folder.mkdir(parents=True)
        self.repository, self.side = folder / "repository", folder / "side"
        shutil.copytree(like, self.repository, symlinks=True)
        self.side.mkdir()
        (self.side / "program.py").write_text(program)
        self.before = Work.of(self.repository)
        command = [sys.executable, str(self.side / "program.py"), str(self.side)]
        recording = [sys.executable, "-m", "runwatch.cli.main", "run", "--headless", "--framework", "fault", "--"]
        self.alone = alone
        self.started = time.monotonic()
        with (self.side / "output").open("wb") as output:
            self.process = subprocess.Popen(
                command if alone else [*recording, *command],
                cwd=self.repository,
                env={**os.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    # --- where it is

    def acknowledged(self) -> list[str]:
        """Return the ids of the acknowledged events, in order."""
        return [name for name, _ in self.acknowledged_at()]

    def acknowledged_at(self) -> list[tuple[str, float]]:
        """Return id and time (monotonic seconds) of the acknowledged events, in order."""
        lines = (line.split() for line in self._said() if not line.startswith("phase "))
        return [(name, float(at)) for name, at in lines]

    def _said(self) -> list[str]:
        try:
            *whole, _ = (self.side / "acknowledged").read_text().split("\n")
        except OSError:
            return []
        return whole

    @property
    def run(self) -> Path:
        """The run's directory."""
        found = self.runs()
        if len(found) != 1:
            raise Died(f"{len(found)} runs in {self.repository}")
        return found[0]

    def runs(self) -> list[Path]:
        """Return the runs that have a journal, the oldest first."""
        return sorted(path.parent for path in self.repository.glob("runs/fault/*/events.jsonl"))

    def lead_into(self, phase: str, events: int = 10) -> None:
        """Let the program go on until it has acknowledged some events in a phase."""
        for former in PHASES[: PHASES.index(phase)]:
            (self.side / f"after-{former}").touch()

        def there() -> bool:
            said = self._said()
            return f"phase {phase}" in said and len(said) - said.index(f"phase {phase}") > events

        wait_for(there, f"phase {phase}: {(self.side / 'output').read_bytes()[-2000:]!r}")

    def let_go(self) -> None:
        """Let the program come to its end."""
        for phase in PHASES:
            (self.side / f"after-{phase}").touch()

    # --- who it is

    def pid(self, who: str) -> int:
        """Return the pid of the command, the supervisor, the recorder or the guardian, once it is there."""
        if who == "supervisor" or (who == "program" and self.alone):
            return self.process.pid
        return int(wait_for(lambda: self.pid_now(who), f"the {who}"))

    def pid_now(self, who: str) -> int | None:
        """Return the pid of the command, the recorder or the guardian; None where it is not there."""
        words = {
            "command": b"program.py",
            "recorder": b"runwatch.record.recorder",
            "guardian": b"runwatch.record.guardian",
        }
        return self._find(words[who])

    def _find(self, word: bytes) -> int | None:
        marks = [os.fsencode(path) for path in (*self.runs(), self.side)]
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self.process.pid:
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(each.endswith(word) for each in words) and any(mark in words for mark in marks):
                return int(entry.name)
        return None

    def is_replaced(self, former: int) -> bool:
        """Whether another recorder is there."""
        now = self._find(b"runwatch.record.recorder")
        return now not in (None, former)

    # --- its end

    def kill_all(self) -> None:
        """Kill the program and all who watch over it at once, as a power cut would."""
        stopped: set[int] = set()
        clean = 0
        while (
            clean < 2
        ):  # one that was being started at the first look is there at the next; who is stopped starts none
            found = {self.process.pid} | {pid for run in self.runs() for pid, _ in promises.processes(run)}
            clean = 0 if found - stopped else clean + 1
            self._send(signal.SIGSTOP, found - stopped)
            stopped |= found
        self._send(signal.SIGKILL, stopped)
        self.process.wait(PATIENCE_S)

    def _send(self, number: signal.Signals, pids: set[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def ended(self) -> int:
        """Wait for the end of the process that was started; return its code, negative for a signal."""
        return self.process.wait(PATIENCE_S)

    def finalized(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until every stage is behind the run."""
        what = f"the finalizer of {self.run}: {(self.side / 'output').read_bytes()[-2000:]!r}"
        return bool(wait_for(self.is_finalized, what, patience_s))

    def is_finalized(self) -> bool:
        """Whether every stage is behind every run."""
        try:
            return all(b'"done": {\n      "done": true' in (run / "finalize.json").read_bytes() for run in self.runs())
        except OSError:
            return False

    def runwatch(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Call runwatch in the repository."""
        command = [sys.executable, "-m", "runwatch.cli.main", *arguments]
        return subprocess.run(command, cwd=self.repository, capture_output=True, stdin=subprocess.DEVNULL, check=False)

    def faults(self, *, again: bool = False, **expected: Any) -> list[str]:
        """Return the promises that do not hold: of the run as it is and, with ``again``, when it is finalized again."""
        expected.setdefault("acknowledged", self.acknowledged())
        wish = Expected(self.repository, self.before, **expected)
        found = promises.faults(self.run, wish) + self.still_there()
        return found + self._faults_again(wish) if again and not found else found

    def _faults_again(self, wish: Expected) -> list[str]:
        found = []
        before = promises.contents(self.run)
        done = self.runwatch("finalize", self.run.name)
        if done.returncode != 0:
            found.append(f"6: finalizing again ends with {done.returncode}: {done.stderr!r}")
        if (now := promises.contents(self.run)) != before:
            changed = [name for name in now.keys() | before if now.get(name) != before.get(name)]
            found.append(f"6: finalizing again changed {changed}")
        return found + [f"again: {fault}" for fault in promises.faults(self.run, wish)]

    def still_there(self) -> list[str]:
        """Return the processes of the run that live on; those who watched get a moment to go."""
        try:
            wait_for(lambda: not promises.processes(self.run), "the end of all", 20.0)
        except Died:
            return [f"2: {words} (pid {pid}) goes on" for pid, words in promises.processes(self.run)]
        return []

    def clean_up(self) -> None:
        """End whatever is left of it."""
        for run in self.runs():
            for pid, _ in promises.processes(run):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
