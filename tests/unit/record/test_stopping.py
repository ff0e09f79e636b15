"""Stopping a real process: polite first, SIGKILL when the grace time is over, the first asker is the reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from runwatch.record.outcome import Stop
from runwatch.record.stopping import Stopper

STUBBORN = """
import signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda n, f: print(n, flush=True))
print("ready", flush=True)
while True: time.sleep(0.01)
"""


@pytest.fixture
def stubborn():  # type: ignore[no-untyped-def]
    """A process that prints the polite signals that it gets and goes on."""
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_the_grace_time_ends_in_sigkill(stubborn: subprocess.Popen[str]) -> None:
    stopper = Stopper(stubborn.pid, group=False)
    stopper.request(Stop(by="a test"), 0.05, send=signal.SIGTERM)
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == f"{signal.SIGTERM:d}\n"
    wait = stopper.wait_s()
    assert wait is not None
    time.sleep(wait)
    stopper.tick()
    assert stubborn.wait(30) == -signal.SIGKILL
    assert stopper.killed == "killed after the grace time"
    assert stopper.wait_s() is None


def test_asking_again_goes_on_to_sigterm_and_then_to_sigkill(stubborn: subprocess.Popen[str]) -> None:
    stopper = Stopper(stubborn.pid, group=False)
    assert stubborn.stdout is not None
    stopper.request(Stop(by="Ctrl-C"), 60, send=None)
    stopper.request(Stop(by="SIGHUP"), 60, send=None)
    assert stubborn.stdout.readline() == f"{signal.SIGTERM:d}\n"
    assert stubborn.poll() is None
    stopper.request(Stop(by="SIGHUP"), 60, send=None)
    assert stubborn.wait(30) == -signal.SIGKILL
    assert stopper.stop == Stop(by="Ctrl-C")
    assert stopper.killed == "killed at the third request"


def test_one_request_that_comes_two_ways_counts_once(stubborn: subprocess.Popen[str]) -> None:
    stopper = Stopper(stubborn.pid, group=False)
    assert stubborn.stdout is not None
    for _ in range(2):
        stopper.request(Stop(by="SIGTERM"), 60, send=signal.SIGINT)
        stopper.request(Stop(by="SIGTERM to the recorder"), 60, send=signal.SIGINT, way="relay")
    assert stubborn.stdout.readline() == f"{signal.SIGINT:d}\n"
    assert stubborn.stdout.readline() == f"{signal.SIGTERM:d}\n"
    assert stubborn.poll() is None
    assert stopper.killed is None
    stopper.request(Stop(by="SIGTERM"), 60, send=signal.SIGINT)
    assert stubborn.wait(30) == -signal.SIGKILL


def test_a_stopped_process_is_woken_so_that_it_can_act(stubborn: subprocess.Popen[str]) -> None:
    os.kill(stubborn.pid, signal.SIGSTOP)
    stopper = Stopper(stubborn.pid, group=False)
    stopper.request(Stop(by="a test"), 60, send=signal.SIGINT)
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == f"{signal.SIGINT:d}\n"
    assert stopper.wait_s() is not None
    assert not stopper.killed


def test_a_process_that_is_gone_is_left_alone() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    stopper = Stopper(child.pid, group=False)
    stopper.request(Stop(by="a test"), 60, send=signal.SIGTERM)
    stopper.kill("killed by a test")


@pytest.mark.parametrize("group", [True, False])
def test_a_command_that_never_started_stands_for_nobody(group: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    for name in ("kill", "killpg"):  # -1 is every process there is
        monkeypatch.setattr(os, name, lambda pid, number: sent.append((pid, number)))
    Stopper(-1, group=group).send(signal.SIGWINCH)
    stopper = Stopper(5, group=group)
    stopper.gone = True
    stopper.kill("too late")
    assert sent == []
