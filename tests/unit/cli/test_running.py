"""The app's process between the terminal and the supervisor."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runwatch.cli.control import SocketControl
from runwatch.cli.running import _PASSED_ON, _Relay
from runwatch.journal.paths import RunPaths


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _PASSED_ON}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_signals_go_to_the_supervisor_until_the_app_is_closed_and_to_no_later_process_of_its_number(
    handlers: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    sent: list[tuple[int, int]] = []
    control = SocketControl(RunPaths(tmp_path / "f" / "r"))
    relay = _Relay(control)
    signal.raise_signal(signal.SIGUSR1)
    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
        relay.begin(4711)
        assert not control.is_ending
        signal.raise_signal(signal.SIGTERM)
    assert sent == [(4711, signal.SIGUSR1), (4711, signal.SIGTERM)]
    assert control.is_ending
    relay.end()
    left = {number: signal.getsignal(number) for number in _PASSED_ON}
    assert left == dict.fromkeys(_PASSED_ON, signal.SIG_DFL) | {signal.SIGUSR2: signal.SIG_IGN}
