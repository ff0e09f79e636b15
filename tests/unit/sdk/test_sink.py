"""The journal as one process writes it: full disks, lost descriptors, syncing."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runwatch.journal.losses import LossAccount
from runwatch.sdk.sink import JournalSink
from sdk_recording import Recording


@contextmanager
def no_room_beyond(size_bytes: int) -> Iterator[None]:
    """Let no file grow past a size: writes end short, then fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)


def test_no_room_is_counted_told_once_and_made_known_when_there_is_room_again(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    emitter = recording.emitter
    assert emitter.emit("error", {"message": "fits"})
    size = recording.paths.journal.stat().st_size
    with no_room_beyond(size + 10):
        assert [emitter.emit("error", {"message": "lost"}) for _ in range(5)] == [False] * 5
    assert emitter.sink is not None
    assert emitter.losses.events == 5
    assert capsys.readouterr().err.count("runwatch: ") == 1

    assert emitter.emit("error", {"message": "fits again"})
    raw = recording.paths.journal.read_bytes().splitlines()
    assert b"fits again" in raw[-2], "the torn line stands alone"
    assert b'"degraded","dropped":5,"since":"' in raw[-1]
    assert emitter.emit("error", {"message": "and again"})
    assert recording.paths.journal.read_bytes().count(b'"degraded"') == 1


def test_a_descriptor_that_the_program_closed_is_opened_again(recording: Recording) -> None:
    sink = recording.emitter.sink
    assert sink is not None
    assert sink._appender is not None
    os.close(sink._appender.fileno())
    assert recording.emitter.emit("error", {"message": "still here"})
    assert sink.untold is None
    assert recording.types() == ["error"]


def test_a_descriptor_that_is_the_programs_by_now_is_left_alone_and_the_journal_opened_again(
    recording: Recording, tmp_path: Path
) -> None:
    sink = recording.emitter.sink
    assert sink is not None
    assert recording.emitter.emit("error", {"message": "before"})
    assert sink._appender is not None
    number = sink._appender.fileno()
    with open(tmp_path / "users-file", "wb") as mine:
        os.dup2(mine.fileno(), number)
    sink._sync()  # first: what was written through the lost descriptor has to be synced by another
    assert sink._appender.fileno() != number
    assert sink._appender.unsynced == 0
    os.dup2(number, sink._appender.fileno())
    assert recording.emitter.emit("error", {"message": "after"})
    assert recording.types() == ["error", "error"]
    assert os.fstat(number).st_size == 0
    os.close(number)


def test_a_journal_that_cannot_be_opened_again_is_counted(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "run").mkdir()
    losses = LossAccount(tmp_path / ".losses", "w")
    sink = JournalSink(tmp_path / "run" / "events.jsonl", lambda kind, sentence: told.append(kind), losses)
    sink.after_fork(losses)
    (tmp_path / "run" / "events.jsonl").unlink()
    (tmp_path / "run").rmdir()
    assert not sink.write(b"{}\n")
    assert not sink.write(b"{}\n")
    assert losses.events == 2
    assert told == ["lost", "lost"]
    sink.close()
