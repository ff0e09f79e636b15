"""Output goes on while the disk of its log does not answer, and stands in the log in its order when that does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.recorded import wait_for
from runwatch.journal.paths import RunPaths
from runwatch.record import spawn, stand_in
from runwatch.record.capture import Capture
from runwatch.record.step_log import StepLog
from runwatch.sources.markers import MarkerScanner


class Hung:
    """A capture of two pipes whose logs wait at a gate, as on a disk that was frozen: no such one is to be had here."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        self.gate.set()
        write = StepLog.write

        def gated(log: StepLog, data: memoryview) -> int:
            self.gate.wait()
            return write(log, data)

        patch.setattr(StepLog, "write", gated)
        self.paths = RunPaths(folder / "run")
        self.paths.root.mkdir()
        self.rings: list[float] = []
        channels = spawn.open_channels("pipe", True)
        self.out = folder / "out"
        channels[0].pass_fd = os.open(self.out, os.O_WRONLY | os.O_CREAT)
        channels[1].pass_fd = None
        self.capture = Capture(
            self.paths, channels, MarkerScanner(None), lambda marker: None, None, ring=self.rings.append
        )
        self.ends = [channel.write_fd for channel in channels]
        self.capture.start()

    def say(self, text: bytes) -> None:
        os.write(self.ends[0], text)

    def passed(self, text: bytes) -> Callable[[], bool]:
        return lambda: self.out.read_bytes().endswith(text)

    def look_late(self, patch: pytest.MonkeyPatch) -> bool:
        """As the alarm would a while later."""
        wait_for(lambda: self.capture.streams[0].writing_since, "the log to be waited for")
        with patch.context() as later:
            later.setattr(stand_in, "LATE_S", 0.0)
            return self.capture.look()

    def end(self) -> bytes:
        for fd in self.ends:
            os.close(fd)
        assert self.capture.finish(30) == []
        return (self.paths.logs / "stdout.log").read_bytes()


@pytest.fixture
def hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hung:
    return Hung(tmp_path, monkeypatch)


def test_output_passes_on_and_is_filed_in_order_when_the_disk_answers(
    hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung.say(b"before\n")
    wait_for(lambda: hung.rings == [stand_in.LATE_S], "the alarm to be set")
    wait_for(hung.passed(b"before\n"), "what comes before")
    hung.gate.clear()
    hung.say(b"0\n")
    assert hung.look_late(monkeypatch)
    assert not hung.capture.look()  # somebody stands in already
    for number in range(1, 200):
        hung.say(b"%d\n" % number)
    wait_for(hung.passed(b"199\n"), "output in spite of the disk")
    assert not (hung.paths.logs / "stdout.log").read_bytes().endswith(b"0\n")
    hung.gate.set()
    for number in range(200, 400):
        hung.say(b"%d\n" % number)
    wanted = b"before\n" + b"".join(b"%d\n" % number for number in range(400))
    assert hung.end() == wanted == hung.out.read_bytes()


def test_a_stream_that_ends_meanwhile_is_whole(hung: Hung, monkeypatch: pytest.MonkeyPatch) -> None:
    hung.gate.clear()
    hung.say(b"first\n")
    assert hung.look_late(monkeypatch)
    hung.say(b"last")
    os.close(hung.ends[0])
    wait_for(hung.passed(b"last"), "the last of it")
    hung.gate.set()
    hung.ends = hung.ends[1:]
    assert hung.end() == b"first\nlast"


def test_what_is_kept_is_bounded(hung: Hung, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "MOST_BYTES", 1 << 16)
    hung.gate.clear()
    hung.say(b"first\n")
    assert hung.look_late(monkeypatch)
    os.set_blocking(hung.ends[0], False)
    written = 0
    deadline = time.monotonic() + 0.5  # nothing tells that it has come to a stand but that nothing more is taken
    while time.monotonic() < deadline and written < 8 << 20:
        try:
            written += os.write(hung.ends[0], bytes(4096))
            deadline = time.monotonic() + 0.5
        except BlockingIOError:
            time.sleep(0.01)
    assert written < 8 << 20
    hung.gate.set()
    assert len(hung.end()) == 6 + written


def test_a_write_that_is_over_when_the_alarm_comes_is_not_stood_in_for(hung: Hung) -> None:
    hung.say(b"x\n")
    wait_for(lambda: hung.passed(b"x\n")() and not hung.capture.streams[0].writing_since, "the log")
    assert not hung.capture.look()
    assert not hung.capture.streams[0].stand_in()
    assert stand_in.READ_BYTES >= 1 << 16
    assert hung.end() == b"x\n"
