"""One write a line: acknowledged means in the file, a short write never swallows the next line."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
from itertools import count
from pathlib import Path

import pytest

from runwatch.errors import RecordError
from runwatch.events import encode
from runwatch.events.calls import ToolStarted
from runwatch.journal.append import Appender, close_to_writers
from runwatch.journal.follow import events

LINES = 2000
OTHER_USER = 12345


def _write_many(path: Path, writer: int) -> None:
    journal = Appender(path)
    for number in range(LINES):
        line = encode(ToolStarted(tool="x" * (number % 700), writer=str(writer), seq=number))
        assert journal.append(line)


def test_four_processes_appending_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, number)) for number in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    found: dict[str, list[int]] = {}
    for _, event in events(path):
        assert isinstance(event, ToolStarted)
        found.setdefault(str(event.writer), []).append(int(event.seq or 0))
    assert found == {str(number): list(range(LINES)) for number in range(4)}


def _fill(path: str, result: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    journal = Appender(path)
    acknowledged = [journal.append(b'{"type":"tool.started","tool":"%05d"}\n' % number) for number in range(5)]
    Path(result).write_text(f"{acknowledged} {journal.dropped}")


def test_a_full_disk_is_told_by_false_and_the_torn_line_ends_before_the_next(tmp_path: Path) -> None:
    path, result = tmp_path / "events.jsonl", tmp_path / "result"
    child = multiprocessing.get_context("spawn").Process(target=_fill, args=(str(path), str(result)))
    child.start()
    child.join()
    assert result.read_text().strip() == "[True, True, False, False, False] 3"
    journal = Appender(path)
    assert journal.append(b'{"type":"tool.started","tool":"after"}\n')
    read = [event for _, event in events(path)]
    assert [event.tool if event else None for event in read] == ["00000", "00001", None, "after"]  # type: ignore[union-attr]


def test_a_line_torn_by_a_killed_writer_is_ended_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"type":"tool.star')
    assert Appender(path).append(b'{"type":"tool.started","tool":"x"}\n')
    assert path.read_bytes() == b'{"type":"tool.star\n{"type":"tool.started","tool":"x"}\n'


def test_a_journal_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="link"):
        Appender(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_line_is_acknowledged_only_before_the_journal_is_closed_to_writers(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Appender(path)
    told: list[tuple[int, bool]] = []
    go = threading.Event()

    def write() -> None:
        for number in count():
            told.append((number, journal.append(b'{"type":"tool.started","tool":"%d"}\n' % number)))
            if number == 100:
                go.set()
            if not told[-1][1]:
                return

    thread = threading.Thread(target=write)
    thread.start()
    go.wait()
    close_to_writers(path)
    sealing = Appender(path, sealing=True)
    assert sealing.append(b'{"type":"run.completed","status":"completed"}\n')
    thread.join()
    lines = path.read_bytes().splitlines()
    seal = next(at for at, line in enumerate(lines) if b"run.completed" in line)
    acknowledged = [number for number, acknowledged in told if acknowledged]
    assert len(acknowledged) >= 100
    assert acknowledged == list(range(len(acknowledged)))
    assert all(b'"%d"' % number in lines[number] for number in acknowledged)
    assert len(acknowledged) <= seal
    assert journal.late == 1
    assert journal.dropped == 0
    assert path.stat().st_mode & 0o777 == 0o400


def test_a_closed_journal_opens_for_its_finalizer_and_for_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Appender(path).close()
    close_to_writers(path)
    # Root may write whatever the mode says: another user, with the files that it needs loaded before.
    child = os.fork()
    if not child:
        code = 1
        try:
            os.chdir(tmp_path)  # the folders above are not the other user's to pass through
            if os.getuid() == 0:
                os.chown(path, OTHER_USER, -1)
                os.chown(tmp_path, OTHER_USER, -1)
                os.setresuid(OTHER_USER, OTHER_USER, OTHER_USER)
            with pytest.raises(RecordError, match="Permission denied"):
                Appender(path.name)
            code = 0 if Appender(path.name, sealing=True).append(b"x\n") else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.read_bytes() == b"x\n"


def test_a_line_in_a_deleted_journal_is_lost_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Appender(path)
    path.unlink()
    assert not journal.append(b"{}\n")
    assert (journal.dropped, journal.last_error) == (1, "it was deleted")


def test_a_descriptor_that_the_program_has_taken_over_is_neither_written_to_nor_synced_nor_closed(
    tmp_path: Path,
) -> None:
    journal = Appender(tmp_path / "events.jsonl")
    assert journal.append(b'{"type":"tool.started"}\n')
    with open(tmp_path / "users", "wb") as mine:
        number = journal.fileno()
        os.dup2(mine.fileno(), number)
        assert not journal.append(b'{"type":"tool.started"}\n')
        assert not journal.sync(), "what was written is synced through another descriptor"
        journal.close()
        os.write(number, b"theirs")
        os.close(number)
    assert (tmp_path / "users").read_bytes() == b"theirs"
    assert (tmp_path / "events.jsonl").read_bytes() == b'{"type":"tool.started"}\n'
