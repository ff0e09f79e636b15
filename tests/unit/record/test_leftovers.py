"""Ending the processes of a run: real trees, polite first, nobody else touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from integration.recorded import wait_for
from runwatch.record import leftovers
from runwatch.sources import run_processes

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a shell in a run's environment; whatever it leaves behind is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(script: str, **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["sh", "-c", script],
            env={**os.environ, "RUNWATCH_RUN_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]  # passed on as they are
        )
        started.append(process)
        return process

    yield begin
    for left in run_processes.of_run(tmp_path):
        left.kill()
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def pids(process: subprocess.Popen[str], count: int) -> list[int]:
    """Read as many pids as the shell prints, a line each."""
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(count)]


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_command_is_ended_with_all_below_it_and_what_ignores_the_hangup_is_killed(
    start: Start, tmp_path: Path
) -> None:
    script = "sh -c 'trap \"\" HUP; echo $$; while :; do sleep 0.05; done' & sleep 600 & echo $!; wait"
    process = start(script)
    found = [process.pid, *pids(process, 2)]
    leftovers.end_command(process.pid, tmp_path, 0.5)
    for pid in found:
        wait_for(lambda pid=pid: is_gone(pid), f"the end of {pid}")  # type: ignore[misc]  # bound at once


def test_a_daemon_of_the_command_is_left_alone_and_found_as_left_behind(start: Start, tmp_path: Path) -> None:
    # Two forks: the one in between ends, so that the daemon is nobody's child and leads a session of its own.
    daemon = (
        "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); "
        "print(os.getpid(), flush=True); time.sleep(600)"
    )
    process = start(f'{sys.executable} -c "{daemon}"; echo $$; exec sleep 600')
    first, second = pids(process, 2)
    pid = first if second == process.pid else second
    leftovers.end_command(process.pid, tmp_path, 5)
    assert process.wait(30) == -signal.SIGHUP
    assert [left.pid for left in run_processes.of_run(tmp_path)] == [pid]
    assert f"(pid {pid})" in run_processes.described(run_processes.of_run(tmp_path))
    leftovers.end_left(tmp_path, 5)
    assert is_gone(pid)


def test_processes_of_another_run_are_not_touched(start: Start, tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "600"], env={**os.environ, "RUNWATCH_RUN_DIR": str(tmp_path / "other")})
    try:
        mine = start("exec sleep 600")
        leftovers.end_left(tmp_path, 5)
        assert mine.wait(30) == -signal.SIGTERM
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_command_that_ended_by_itself_leaves_nothing_to_end(start: Start, tmp_path: Path) -> None:
    process = start("sleep 600 & echo $!")
    (left,) = pids(process, 1)
    process.wait(30)
    leftovers.end_command(process.pid, tmp_path, 5)
    assert not is_gone(left)
