"""The index over one growing log: whatever the chunks in which it grew, and whatever happens to the file."""

from __future__ import annotations

import os
import random
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runwatch.journal import log_index, log_merge
from runwatch.journal.log_block import BLOCK_BYTES
from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_time import line_time
from runwatch.journal.log_times import WINDOW_S, LineTimes

START = 1_795_224_000.0


def open_log(path: Path, *names: str) -> LogIndex:
    """Index a file, and what it goes on in, as far as it is there."""
    index = LogIndex(LogStream(LogFolder(path.parent), [path.name, *names]), LineTimes(None))
    index.poll()
    return index


def finish(index: LogIndex) -> LogIndex:
    """Index all that lies between the end and the beginning."""
    while index.work(0.01):
        pass
    return index


def lines_of(index: LogIndex) -> list[bytes]:
    """Read every line by its row."""
    offsets = index.offsets(0, index.row_count + 5)
    ends = [*offsets[1:], index.stream.size]
    return [index.stream.read(at, end - at).rstrip(b"\n") for at, end in zip(offsets, ends, strict=True)]


def stamped(number: int, seconds: float, text: str = "") -> bytes:
    """Make a JSON line."""
    return b'{"ts": %.6f, "level": "INFO", "msg": "line %d %s"}\n' % (START + seconds, number, text.encode())


def effective(data: bytes) -> list[float]:
    """Work out, the plain way, the time every line counts with: its own within the window, else its place's."""
    starts = [0] + [at + 1 for at, byte in enumerate(data) if byte == 10]
    starts = [start for start in starts if start < len(data)]
    ends = [*[start - 1 for start in starts[1:]], len(data)]
    own = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        unfinished = number == len(starts) - 1 and not data.endswith(b"\n") and end - start < 4096
        own.append(None if unfinished else line_time(data[start:end]))
    base = next(
        time
        for time, start, end in zip(own, starts, ends, strict=True)
        if time is not None and start < BLOCK_BYTES and end < BLOCK_BYTES - 1
    )
    closed = (data.rfind(b"\n") + 1) // BLOCK_BYTES
    closes = {-2: base - WINDOW_S, -1: base}
    for block in range(len(data) // BLOCK_BYTES + 3):
        last = [
            time for time, start in zip(own, starts, strict=True) if start // BLOCK_BYTES == block and time is not None
        ]
        closes[block] = max([closes[block - 1], *last[-1:]]) if block < closed else float("inf")
    times, group, running, at = [], base, base, -1
    for time, start in zip(own, starts, strict=True):
        block = start // BLOCK_BYTES
        if block != at:
            if at >= 0 and group < closes[at - 1]:  # what belongs to a block's last line may go on in this one
                first = next(n for n in range(len(times), 0, -1) if times[n - 1] != group)
                times[first:] = [closes[at]] * (len(times) - first)
            at, running, group = block, closes[block - 1], closes[block - 1]
        if time is not None:
            running = max(running, time)
            middle = min(running, closes[block])
            near = abs(time - middle) <= WINDOW_S and closes[block - 2] <= time <= closes[block + 1]
            group = time if near else middle
        times.append(group)
    return times


def ordered(data: bytes) -> list[int]:
    """Return where the lines begin in the order of their times, and of the file where these are equal."""
    starts = [0] + [at + 1 for at, byte in enumerate(data) if byte == 10]
    return [start for _, start in sorted(zip(effective(data), starts, strict=False))]


def random_log(seed: int, size_bytes: int) -> bytes:
    """Make lines of all kinds: timed, not timed, out of order, long, empty, no UTF-8, torn at the end."""
    chance = random.Random(seed)
    pace = chance.choice([1.0, 0.02, 0.0005])  # blocks of minutes, of seconds, of less than the window
    lines, length, seconds = [stamped(0, 0.0)], 0, 0.0
    while length < size_bytes:
        kind, seconds = chance.random(), seconds + chance.choice([0, 0.001, 0.5]) * pace
        number = len(lines)
        if kind < 0.6:
            line = stamped(number, seconds, "x" * chance.randrange(200))
        elif kind < 0.7:
            line = stamped(number, seconds - chance.random() * chance.choice([5, 0.3, 0.05]))
        elif kind < 0.9:
            line = chance.choice([b"\n", b"  at line 3\n", b"\xff\x00\x1b[31m\n", b"10%\r20%\r30%\n", b"\r\n"])
        elif kind < 0.98:
            line = bytes(chance.choices(b"ab \x00", k=chance.randrange(5000))) + b"\n"
        else:
            line = b"L" * chance.choice([4095, 4096, 4097, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES]) + b"\n"
        lines.append(line)
        length += len(line)
    return b"".join(lines)[: -chance.choice([1, 1, 30]) or None]


def rows_of(index: LogIndex, start: int, count: int) -> list[int]:
    """Return where the lines of some rows begin."""
    return [place.offset for place in log_merge.places([index], max(start, 0), count)]


def test_every_row_is_the_line_that_a_plain_split_gives(tmp_path: Path) -> None:
    data = random_log(1, 900_000)
    (tmp_path / "a.log").write_bytes(data)
    index = finish(open_log(tmp_path / "a.log"))
    expected = [line.rstrip(b"\n") for line in data.split(b"\n")]
    assert lines_of(index) == (expected if expected[-1] else expected[:-1])


def test_an_empty_file_has_no_rows_and_a_missing_one_appears_later(tmp_path: Path) -> None:
    index = open_log(tmp_path / "a.log")
    assert (index.row_count, index.exact, index.offsets(0, 5)) == (0, True, [])
    (tmp_path / "a.log").write_bytes(b"")
    index.poll()
    assert index.row_count == 0
    (tmp_path / "a.log").write_bytes(b"one")
    index.poll()
    assert (index.row_count, lines_of(index)) == (1, [b"one"])


def test_an_unfinished_line_is_a_row_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntw")
    index = open_log(path)
    assert lines_of(index) == [b"one", b"tw"]
    with path.open("ab") as file:
        file.write(b"o\n")
    index.poll()
    assert (index.row_count, lines_of(index)) == (2, [b"one", b"two"])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 120_000), min_size=1, max_size=12))
def test_growth_in_any_chunks_gives_the_index_of_one_shot(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: list[int]
) -> None:
    data = random_log(seed, 300_000)
    folder = tmp_path_factory.mktemp("chunks")
    (folder / "whole.log").write_bytes(data)
    whole = finish(open_log(folder / "whole.log"))
    grown = open_log(folder / "grown.log")
    at = 0
    with (folder / "grown.log").open("ab", buffering=0) as file:
        for cut in [*cuts, len(data)]:
            file.write(data[at : at + cut])
            at += cut
            grown.poll()
            rows_of(grown, grown.row_count - 40, 40)  # drawing while it grows must change nothing
    blocks = range(len(whole.table))
    assert [grown.table.count(n) for n in blocks] == [whole.table.count(n) for n in blocks]
    assert [(None if isnan(a) else a) for a in grown.ends.last] == [(None if isnan(a) else a) for a in whole.ends.last]
    offsets = whole.offsets(0, whole.row_count)
    assert grown.offsets(0, grown.row_count) == offsets
    assert [grown.time_at(at) for at in offsets] == [whole.time_at(at) for at in offsets] == effective(data)
    assert rows_of(grown, 0, len(offsets)) == rows_of(whole, 0, len(offsets)) == ordered(data)


@pytest.mark.parametrize("seed", range(6))
def test_the_end_first_and_the_rest_later_gives_the_index_of_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    data = random_log(seed, 1_500_000)
    (tmp_path / "a.log").write_bytes(data)
    one = finish(open_log(tmp_path / "a.log"))
    monkeypatch.setattr(log_index, "AT_ONCE_BYTES", 200_000)
    other = open_log(tmp_path / "a.log")
    assert not other.exact
    last: list[int] = []
    while len(last) < 30:  # a block that turns out to hold fewer lines than estimated moves the rows behind it
        last = other.offsets(other.row_count - 30, 30)
    assert last == one.offsets(one.row_count - 30, 30)
    rows = [other.row_at(at) for at in last]
    assert rows == list(range(other.row_count - 30, other.row_count))
    middle = other.offsets(other.row_count // 2, 20)
    assert set(middle) <= set(one.offsets(0, one.row_count))
    finish(other)
    offsets = one.offsets(0, one.row_count)
    assert other.row_count == one.row_count
    assert other.offsets(0, other.row_count) == offsets
    assert [other.time_at(at) for at in offsets] == [one.time_at(at) for at in offsets] == effective(data)
    assert rows_of(other, 0, len(offsets)) == ordered(data)


def test_blocks_end_one_after_the_other_while_the_end_is_known_and_the_rest_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [stamped(n, 9000 - n if n < 4000 else n - 4000, "x" * 100) for n in range(8000)]
    (tmp_path / "a.log").write_bytes(b"".join(lines))
    monkeypatch.setattr(log_index, "AT_ONCE_BYTES", 200_000)
    index = open_log(tmp_path / "a.log")
    assert not index.exact
    while index.work(0):
        closes = [index.bounds(number).closes for number in range(len(index.table))]
        assert closes == sorted(closes)


def test_a_line_that_comes_byte_by_byte_has_the_time_it_states(tmp_path: Path) -> None:
    index = open_log(tmp_path / "a.log")
    with (tmp_path / "a.log").open("ab", buffering=0) as file:
        for number in range(3):
            for byte in stamped(number, number):
                file.write(bytes([byte]))
                index.poll()
    assert [index.time_at(at) for at in index.offsets(0, 9)] == [START, START + 1, START + 2]
    assert index.ends.last[0] == START + 2


def test_rows_and_offsets_answer_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(random_log(3, 600_000))
    index = finish(open_log(tmp_path / "a.log"))
    offsets = index.offsets(0, index.row_count)
    for row in random.Random(1).sample(range(index.row_count), 100):
        assert index.offsets(row, 1) == [offsets[row]]
        inside = (offsets[row + 1] if row + 1 < len(offsets) else index.stream.size) - 1
        assert index.row_at(offsets[row]) == index.row_at(inside) == row
        place = rows_of(index, row, 1)[0]
        assert index.order.row_of(place) == row


def test_lines_until_counts_what_a_plain_comparison_counts(tmp_path: Path) -> None:
    data = random_log(4, 500_000)
    (tmp_path / "a.log").write_bytes(data)
    index = finish(open_log(tmp_path / "a.log"))
    times = effective(data)
    for time in [0.0, *random.Random(2).sample(times, 100), times[-1] + 1]:
        assert index.order.lines_until(time) == sum(one <= time for one in times)
        low, high = index.order.bounds_until(time)
        assert low <= index.order.lines_until(time) <= high


def test_a_giant_line_is_indexed_in_bounded_memory_and_ends_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(stamped(0, 0) + b"x" * 10_000_000 + b"\n" + stamped(1, 5))
    index = finish(open_log(path))
    offsets = index.offsets(0, 9)
    assert [offset - offsets[1] for offset in offsets[1:]] == [0, 10_000_001]
    assert [index.time_at(offset) for offset in offsets] == [START, START, START + 5]
    assert index.row_at(offsets[1] + 5_000_000) == 1


def test_following_reads_each_byte_once_and_little_more(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(stamped(0, 0))
    index = open_log(path)
    before, appended = index.stream.bytes_read, 0
    with path.open("ab", buffering=0) as file:
        for number in range(3000):
            line = stamped(number, number * 0.01, "y" * (number % 7) * 40)
            appended += file.write(line)
            index.poll()
            for at in index.offsets(index.row_count - 40, 40):
                index.time_at(at)
                index.stream.read(at, 200)
    assert index.stream.bytes_read - before <= 2 * appended


def test_a_truncated_file_begins_anew_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo\nthree\n")
    index = open_log(path)
    path.write_bytes(b"four\n")
    assert index.poll()
    assert lines_of(index) == [b"four"]
    assert "truncated" in " ".join(index.stream.notices())


def test_a_file_truncated_and_grown_beyond_its_size_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(stamped(n, n) for n in range(10)))
    index = open_log(path)
    path.write_bytes(b"".join(stamped(n, n) for n in range(100, 130)))
    index.poll()
    assert len(lines_of(index)) == 30
    assert "rewritten" in " ".join(index.stream.notices())


def test_a_file_rewritten_at_the_same_size_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo\n")
    index = open_log(path)
    path.write_bytes(b"six\nten\n")
    os.utime(path, ns=(1, 1))
    index.poll()
    assert lines_of(index) == [b"six", b"ten"]


def test_copytruncate_under_a_writer_that_appends_goes_on_with_the_new_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"one\ntwo\n")
        index = open_log(path)
        (tmp_path / "a.log.1").write_bytes(path.read_bytes())
        os.truncate(path, 0)
        writer.write(b"three\n")
        index.poll()
    assert lines_of(index) == [b"three"]


def test_copytruncate_under_a_writer_that_keeps_its_place_skips_the_hole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"o" * 300_000 + b"\n")
        index = open_log(path)
        os.truncate(path, 0)
        writer.write(b"three\n")
        index.poll()
        found = lines_of(index)
    assert [line.lstrip(b"\0") for line in found] == [b"three"]
    assert len(found[0]) < 5000 or os.stat(path).st_blocks * 512 >= 300_000  # a file system without holes


@pytest.mark.parametrize("how", ["rename", "delete"])
def test_a_replaced_file_goes_on_below_with_nothing_lost(tmp_path: Path, how: str) -> None:
    path = tmp_path / "a.log"
    writer = path.open("ab", buffering=0)
    writer.write(b"one\ntwo\n")
    index = open_log(path)
    writer.write(b"last words")
    if how == "rename":
        path.rename(tmp_path / "a.log.1")
    else:
        path.unlink()
        index.poll()
        assert "deleted" in " ".join(index.stream.notices())
    path.write_bytes(b"")
    index.poll()
    writer.write(b", really")
    index.poll()
    path.write_bytes(b"three\n")
    index.poll()
    writer.close()
    assert lines_of(index) == [b"one", b"two", b"last words, really", b"three"]
    assert "replaced" in " ".join(index.stream.notices())
    with path.open("ab") as file:
        file.write(b"four\n")
    index.poll()
    assert lines_of(index)[-2:] == [b"three", b"four"]


def test_a_log_that_goes_on_in_further_files_is_one_log(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\ntwo ha")
    (tmp_path / "a.1.log").write_bytes(b"lves\nthree\n")
    index = open_log(tmp_path / "a.log", "a.1.log", "a.2.log")
    assert lines_of(index) == [b"one", b"two halves", b"three"]
    (tmp_path / "a.2.log").write_bytes(b"four\n")
    index.poll()
    assert lines_of(index) == [b"one", b"two halves", b"three", b"four"]


def test_links_and_pipes_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not yours\n")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").symlink_to(secret)
    os.mkfifo(logs / "b.log")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "c.log").write_text("nor this\n")
    (logs / "step").symlink_to(tmp_path / "inner")
    for name in ("a.log", "b.log", "step/c.log"):
        index = LogIndex(LogStream(LogFolder(logs), [name]), LineTimes(None))
        index.poll()
        assert index.row_count == 0


def test_lines_without_any_time_count_with_when_they_were_seen(tmp_path: Path) -> None:
    now = [START]
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    os.utime(path, (START - 50, START - 50))
    index = LogIndex(LogStream(LogFolder(tmp_path), ["a.log"]), LineTimes(None, clock=lambda: now[0]))
    index.poll()
    now[0] = START + 7
    with path.open("ab") as file:
        file.write(b"two\nthree\n")
    index.poll()
    assert [index.time_at(at) for at in index.offsets(0, 9)] == [START - 50, START + 7, START + 7]
