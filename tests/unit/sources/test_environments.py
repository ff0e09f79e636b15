"""The variables of live processes: what is new, once, and again behind an exec."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from integration.recorded import wait_for
from runwatch.sources.environments import Environments

Start = Callable[[str, str], tuple[psutil.Process, subprocess.Popen[bytes]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a shell script with a variable; it waits for its input to end where it says so."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(script: str, value: str) -> tuple[psutil.Process, subprocess.Popen[bytes]]:
        environment = {**os.environ, "A_TOKEN": value}
        started.append(subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, env=environment))
        return psutil.Process(started[-1].pid), started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def seen(environments: Environments, *processes: psutil.Process, until: tuple[str, str]) -> list[tuple[str, str]]:
    """Look until a variable shows up, as it does when an exec is over; return all that was told."""
    found: list[tuple[str, str]] = []
    wait_for(lambda: found.extend(environments.new(processes)) or until in found, until[0])
    return found


def test_what_no_process_had_before_is_told_once(start: Start) -> None:
    environments = Environments(os.environb)
    (first, _), (second, _) = start("read line", "one"), start("read line", "two")
    assert seen(environments, first, until=("A_TOKEN", "one")) == [("A_TOKEN", "one")]
    assert seen(environments, first, second, until=("A_TOKEN", "two")) == [("A_TOKEN", "two")]
    for _ in range(20):
        assert environments.new([first, second]) == []
    assert environments.new([]) == []


def test_what_a_process_gets_by_an_exec_is_told_however_long_it_was_there_before(start: Start) -> None:
    environments = Environments(os.environb)
    process, shell = start(f"read line; export B_TOKEN=late; exec {sys.executable} -c 'input()'", "one")
    seen(environments, process, until=("A_TOKEN", "one"))
    for _ in range(20):
        assert environments.new([process]) == []
    assert shell.stdin is not None
    shell.stdin.write(b"\n")
    shell.stdin.flush()
    assert ("B_TOKEN", "late") in seen(environments, process, until=("B_TOKEN", "late"))


def test_a_process_that_is_gone_has_none(start: Start) -> None:
    process, _ = start("exit 0", "one")
    wait_for(lambda: process.status() == psutil.STATUS_ZOMBIE, "its end")
    assert Environments(os.environb).new([process]) == []
