"""Copying megabytes: every byte passes and is filed, the steps cut at the marker lines wherever the reads fall."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from integration.recorded import wait_for
from runwatch.journal.losses import LossAccount
from runwatch.journal.paths import RunPaths
from runwatch.record import spawn
from runwatch.record.capture import Capture
from runwatch.record.stand_in import AHEAD_BYTES, MUCH_BYTES, READ_BYTES
from runwatch.record.step_log import StepLog
from runwatch.sources.markers import Marker, MarkerScanner

PIECE = 200_003
"""Prime, so that markers stand everywhere in what one read gives, across its end too."""
SOON_BYTES = 128 << 20
"""Pipes and what is read ahead hold a fraction; a command that prints without end is here in a moment."""
MARKER = b"::group::a step with a name\n"


def text_of(pieces: int, filler: bytes) -> bytes:
    """Return pieces of output, each of which but the first begins with a marker line."""
    plain = (filler * PIECE)[: PIECE - 1] + b"\n"
    return plain + (MARKER + plain) * (pieces - 1)


@pytest.mark.parametrize("filler", [b'{"a":"b::c"}\n', b"no end of line", b"zero \0\n"], ids=["json", "lines", "zero"])
def test_megabytes_are_cut_exactly_at_their_markers(tmp_path: Path, filler: bytes) -> None:
    text = text_of(20, filler)
    (tmp_path / "text").write_bytes(text)
    paths = RunPaths(tmp_path / "run")
    paths.root.mkdir()
    channels = spawn.open_channels("pipe", True)
    out = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    channels[0].pass_fd, channels[1].pass_fd = out, None
    opened, losses = iter(range(1, 100)), LossAccount(tmp_path / ".losses", "supervisor")
    capture = Capture(paths, channels, MarkerScanner(), lambda marker: next(opened), None, losses)
    script = (
        f"import os; data = open({str(tmp_path / 'text')!r}, 'rb').read()\nwhile data: data = data[os.write(1, data) :]"
    )
    pid = spawn.start(spawn.Launch(argv=[sys.executable, "-c", script], env=dict(os.environb)), channels, set())
    capture.start()
    assert os.waitpid(pid, 0)[1] == 0
    assert capture.finish(60) == []
    os.close(out)
    assert (tmp_path / "out").read_bytes() == text
    logs = [paths.logs / "stdout.log", *(paths.logs / f"step_{number:03d}" / "stdout.log" for number in range(1, 20))]
    assert [log.stat().st_size for log in logs] == [PIECE, *[len(MARKER) + PIECE] * 19]
    assert b"".join(log.read_bytes() for log in logs) == text
    assert losses.output_bytes == 0


@pytest.mark.parametrize("cut", [1, 2, 3, 9, 10])
def test_a_marker_line_that_two_reads_share_is_still_one(tmp_path: Path, cut: int) -> None:
    paths = RunPaths(tmp_path / "run")
    paths.root.mkdir()
    channels = spawn.open_channels("pipe", False)
    seen: list[Marker] = []
    capture = Capture(
        paths, channels, MarkerScanner(), seen.append, None, LossAccount(tmp_path / ".losses", "supervisor")
    )
    stream = capture.streams[0]
    plain = b"a line of no interest\n" * 5000
    line = b"::group::x\n"
    for piece in (plain + line[:cut], line[cut:] + plain):
        os.write(channels[0].write_fd, piece)
        with stream.lock:
            stream.drain()
    for channel in channels:
        os.close(channel.write_fd)
    capture.start()
    assert capture.finish(60) == []
    assert seen == [Marker("open", "x")]
    assert (paths.logs / "stdout.log").read_bytes() == plain + line + plain


class Endless:
    """A command that prints without end, captured and passed on to ``out``."""

    def __init__(self, folder: Path, out: int) -> None:
        self.paths = RunPaths(folder / "run")
        self.paths.root.mkdir()
        channels = spawn.open_channels("pipe", True)
        channels[0].pass_fd, channels[1].pass_fd = out, None
        losses = LossAccount(folder / ".losses", "supervisor")
        self.capture = Capture(self.paths, channels, MarkerScanner(), lambda marker: None, None, losses)
        script = "import os\nn, rest = 0, b'x' * 99 * 999\nwhile True: os.write(1, b'%d\\n' % n + rest); n += 1"
        launch = spawn.Launch(argv=[sys.executable, "-c", script], env=dict(os.environb))
        self.pid = spawn.start(launch, channels, set())
        self.capture.start()

    def logged(self, name: str = "stdout.log") -> int:
        log = self.paths.logs / name
        return log.stat().st_size if log.exists() else 0

    def has_logged(self, name: str, count: int) -> bool:
        return self.logged(name) > count

    def end(self) -> int:
        """Return how the command ended."""
        os.kill(self.pid, signal.SIGKILL)
        status = os.waitpid(self.pid, 0)[1]
        assert self.capture.finish(60) == []
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    yield fd
    os.close(fd)


def test_much_is_passed_on_while_its_log_is_written(tmp_path: Path, out: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, write = threading.Event(), StepLog.write
    gate.set()
    waiting = threading.Event()

    def gated(log: StepLog, data: memoryview) -> int:
        if len(data) >= MUCH_BYTES and not gate.is_set():
            waiting.set()
        gate.wait()
        return write(log, data)

    monkeypatch.setattr(StepLog, "write", gated)
    much = Endless(tmp_path, out)
    try:
        wait_for(lambda: much.logged() > 4 * AHEAD_BYTES, "much to be filed")
        gate.clear()
        wait_for(waiting.is_set, "a long write that waits")
        ahead = lambda: os.fstat(out).st_size - much.logged()  # noqa: E731
        wait_for(lambda: ahead() >= AHEAD_BYTES, "output that goes on meanwhile")
        assert ahead() <= AHEAD_BYTES + 2 * READ_BYTES
    finally:
        gate.set()
        much.end()
    assert (much.paths.logs / "stdout.log").read_bytes() == (tmp_path / "out").read_bytes()


def test_a_command_whose_reader_leaves_while_it_prints_much_gets_the_signal(tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    much = Endless(tmp_path, write_fd)
    for _ in range(100):
        os.read(read_fd, 1 << 16)
    os.close(read_fd)
    taken = much.logged()
    assert os.waitstatus_to_exitcode(os.waitpid(much.pid, 0)[1]) == 1  # Python's BrokenPipeError
    assert much.capture.finish(60) == []
    assert much.logged() - taken < SOON_BYTES
    os.close(write_fd)


def test_a_step_begins_between_two_lines_of_a_command_that_never_pauses(tmp_path: Path, out: int) -> None:
    much = Endless(tmp_path, out)
    steps = range(1, 20)
    for step in steps:
        name = "stdout.log" if step == 1 else f"step_{step - 1:03d}/stdout.log"
        wait_for(partial(much.has_logged, name, READ_BYTES), "much in a step")
        asked = much.logged(name)
        much.capture.cut(step)
        assert much.logged(name) - asked < SOON_BYTES
    wait_for(lambda: much.logged("step_019/stdout.log") > 0, "the last step")
    much.end()
    logs = [much.paths.logs / "stdout.log", *(much.paths.logs / f"step_{step:03d}" / "stdout.log" for step in steps)]
    assert b"".join(log.read_bytes() for log in logs) == (tmp_path / "out").read_bytes()
