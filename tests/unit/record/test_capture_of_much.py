"""Copying megabytes: every byte passes and is filed, the steps cut at the marker lines wherever the reads fall."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runwatch.journal.losses import LossAccount
from runwatch.journal.paths import RunPaths
from runwatch.record import spawn
from runwatch.record.capture import Capture
from runwatch.sources.markers import Marker, MarkerScanner

PIECE = 200_003
"""Prime, so that markers stand everywhere in what one read gives, across its end too."""
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
