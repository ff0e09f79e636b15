"""Reading one line: whole when it is short, by a window when it is not."""

from __future__ import annotations

from pathlib import Path

from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_times import LineTimes
from runwatch.journal.log_window import WINDOW_BYTES, Window, read_line


def windows(path: Path, data: bytes) -> list[Window]:
    path.write_bytes(data)
    index = LogIndex(LogStream(LogFolder(path.parent), [path.name]), LineTimes(None))
    index.poll()
    return [read_line(index, offset) for offset in index.offsets(0, 99)]


def test_short_lines_are_whole(tmp_path: Path) -> None:
    found = windows(tmp_path / "a.log", b"one\n\ntwo\r\nunfinished")
    assert found == [(b"one", 3, True), (b"", 0, True), (b"two\r", 4, True), (b"unfinished", 10, True)]


def test_a_long_line_is_a_window_that_knows_how_long_it_is(tmp_path: Path) -> None:
    found = windows(tmp_path / "a.log", b"before\n" + b"x" * 5_000_000 + b"\nafter\n" + b"y" * 100_000)
    assert [(len(each.raw), each.size_bytes, each.whole) for each in found] == [
        (6, 6, True),
        (WINDOW_BYTES, 5_000_001, False),
        (5, 5, True),
        (WINDOW_BYTES, 100_000, False),
    ]


def test_a_progress_bar_of_megabytes_is_its_last_state(tmp_path: Path) -> None:
    bar = b"".join(b"\r%3d%% done" % (number // 1000) for number in range(100_001))
    found = windows(tmp_path / "a.log", bar + b"\nnext\n" + bar)
    assert [each.raw for each in found] == [b"100% done", b"next", b"100% done"]
