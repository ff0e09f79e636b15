"""A recorder that stands still at the end: said, left when asked, and the run finalized later."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.dead_runs import read, recorder_of
from integration.recorded import run_dir, runwatch, start, wait_for
from runwatch.journal.lock import Role, RunLock

SCRIPT = "echo ready; read line; echo out; exit 5"


class Stalled:
    """A recorded command that has ended; its recorder was stopped in the middle of the finalizer."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.process = start("sh", "-c", SCRIPT, cwd=cwd, stdin=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        assert self.process.stdout.readline() == b"ready\n"
        self.run = run_dir(cwd)
        self.recorder = wait_for(lambda: (self.run / "metrics.json").exists() and recorder_of(self.run), "the recorder")
        self.lock = RunLock.of(self.run / ".lock")
        assert self.lock.acquire(Role.FINALIZER, 60.0)  # the recorder cannot come to its end before it is stopped
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.said = self._said_while_stopping()

    def _said_while_stopping(self) -> str:
        """Stop the recorder, again after the supervisor let it go on once, until the supervisor has said so."""
        stream = self.process.stderr
        assert stream is not None

        def said() -> bool:
            os.kill(self.recorder, signal.SIGSTOP)
            return bool(select.select([stream], [], [], 0.1)[0])

        wait_for(said, "what the supervisor says")
        return stream.readline().decode()

    def go_on(self) -> None:
        """Let the recorder finalize."""
        self.lock.release(Role.FINALIZER)
        os.kill(self.recorder, signal.SIGCONT)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what else was said."""
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err.decode()


@pytest.fixture
def stalled(tmp_path: Path) -> Iterator[Stalled]:
    found = Stalled(tmp_path)
    yield found
    found.lock.close()
    for pid in (found.recorder, found.process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    found.process.communicate(timeout=60)


def test_it_is_said_who_stands_still_and_the_run_ends_as_ever_when_it_goes_on(stalled: Stalled) -> None:
    assert f"process {stalled.recorder}) is stopped" in stalled.said
    assert f"kill -CONT {stalled.recorder}" in stalled.said
    stalled.go_on()
    code, said = stalled.end()
    assert code == 5
    assert "result   failed (exit code 5)" in said
    assert read(stalled.run, "metadata.json")["exit_code"] == 5


@pytest.mark.parametrize("asking", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["SIGTERM", "Ctrl-C twice"])
def test_asked_politely_it_is_left_with_the_commands_status(stalled: Stalled, asking: list[signal.Signals]) -> None:
    for number in asking:
        assert stalled.process.poll() is None
        os.kill(stalled.process.pid, number)
        wait_for(lambda number=number: not _pending(stalled.process.pid, number), "the signal to be taken")
    code, said = stalled.end()
    assert code == 5
    assert f"`runwatch finalize {stalled.run}`" in said
    stalled.lock.release(Role.FINALIZER)
    done = runwatch("finalize", "--json", stalled.run.name, cwd=stalled.cwd)
    assert json.loads(done.stdout)["outcome"]["exit_code"] == 5
    metadata = read(stalled.run, "metadata.json")
    assert (metadata["status"], metadata["exit_code"]) == ("failed", 5)
    assert (stalled.run / "logs" / "stdout.log").read_bytes() == b"ready\nout\n"


def test_one_ctrl_c_does_not_leave_it(stalled: Stalled) -> None:
    os.kill(stalled.process.pid, signal.SIGINT)
    wait_for(lambda: not _pending(stalled.process.pid, signal.SIGINT), "the signal to be taken")
    stalled.go_on()
    assert stalled.end()[0] == 5
    assert read(stalled.run, "finalize.json")["stages"]["done"]["done"]


def test_a_stop_over_the_socket_leaves_it_too(stalled: Stalled) -> None:
    assert runwatch("stop", cwd=stalled.cwd).returncode == 0
    code, said = stalled.end()
    assert code == 5
    assert "runwatch finalize" in said


def _pending(pid: int, number: signal.Signals) -> bool:
    """Return whether a signal waits to be taken; others, such as that of a child's end, wait for ever in a zombie."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return bool(int(status.split("ShdPnd:")[1].split()[0], 16) >> (number - 1) & 1)
