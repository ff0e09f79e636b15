"""Lines of several writers stand in the order of their times, in one log and in several, at rest and as they come."""

from __future__ import annotations

import random
from bisect import bisect_right
from pathlib import Path

import pytest

from runwatch.journal import log_index, log_merge, log_tail
from runwatch.journal.log_block import BLOCK_BYTES
from runwatch.journal.log_files import RunLogs
from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_hits import Pattern
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_times import WINDOW_S, LineTimes
from runwatch.journal.merged_logs import MergedLogs

START = 1_795_224_000.0
LAG_S = 0.02
"""The recorder's projection comes up to this much later than the program's own lines."""


def stamped(seconds: float, text: str) -> bytes:
    return b'{"ts": %.6f, "msg": "%s"}\n' % (START + seconds, text.encode())


def two_writers(seed: int, records: int, pace_s: float, name: str = "") -> list[tuple[float, bytes]]:
    """Make a log as two writers leave it: (time, record) in the order of the file, records of one line or several."""
    chance = random.Random(seed)
    seconds, written = 0.0, []
    for number in range(records):
        seconds = round(seconds + chance.choice([0.0, 0.3, 1.0, 1.7]) * pace_s, 6)
        lag = chance.random() * LAG_S if chance.random() < 0.5 else 0.0
        trace = b"".join(
            b"  at %s%d line %d\n" % (name.encode(), number, n) for n in range(chance.choice([0, 0, 0, 4]))
        )
        text = f"{name}{number} " + "x" * chance.randrange(200)
        written.append((seconds + lag, number, seconds, stamped(seconds, text) + trace))
    return [(seconds, record) for _, _, seconds, record in sorted(written)]


def in_order(records: list[tuple[float, bytes]]) -> list[bytes]:
    """Sort records by time, equal ones as they are, and split them into lines."""
    return b"".join(record for _, record in sorted(records, key=lambda each: each[0])).split(b"\n")[:-1]


def open_log(path: Path) -> LogIndex:
    index = LogIndex(LogStream(LogFolder(path.parent), [path.name]), LineTimes(None))
    index.poll()
    return index


def rows(logs: list[LogIndex], start: int, count: int) -> list[bytes]:
    found = []
    for place in log_merge.places(logs, start, count):
        data = logs[place.log].stream.read(place.offset, 4096)
        found.append(data.partition(b"\n")[0])
        assert place.end is None or place.end == place.offset + len(found[-1]) + 1
    return found


def borders(logs: list[LogIndex]) -> list[int]:
    """Return rows at and around which one block of a log ends and the next begins."""
    return [
        max(log_merge.row_of(logs, position, log.offsets(log.table.before(number), 1)[0]) + shift, 0)
        for position, log in enumerate(logs)
        for number in range(1, len(log.table))
        for shift in (-3, 0, 2)
    ]


def test_a_late_line_stands_where_its_time_says_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    late = stamped(1.00, "late") + b"Traceback:\n  line 3\nBoom\n"
    (tmp_path / "a.log").write_bytes(stamped(0, "one") + stamped(1.01, "two") + late + stamped(1.02, "three"))
    found = rows([open_log(tmp_path / "a.log")], 0, 9)
    assert [line[-6:] for line in found] == [b'"one"}', b'late"}', b"eback:", b"line 3", b"Boom", b'"two"}', b'hree"}']


def test_lines_of_equal_times_stand_as_they_were_written(tmp_path: Path) -> None:
    records = [(seconds, stamped(seconds, str(number))) for number, seconds in enumerate([0, 1, 1.1, 1, 1.1, 1, 1.05])]
    (tmp_path / "a.log").write_bytes(b"".join(record for _, record in records))
    assert rows([open_log(tmp_path / "a.log")], 0, 9) == in_order(records)


def test_a_line_later_than_the_window_stays_where_it_was_written(tmp_path: Path) -> None:
    times = [0, 10, 10 - WINDOW_S - 0.01, 10.2, 10.3]
    lines = [stamped(seconds, str(number)) for number, seconds in enumerate(times)]
    (tmp_path / "a.log").write_bytes(b"".join(lines))
    assert rows([open_log(tmp_path / "a.log")], 0, 9) == [line[:-1] for line in lines]


def up_to_the_border(tail: bytes) -> bytes:
    """Make lines in order that fill the first block so that ``tail`` ends with it."""
    lines, room = b"", BLOCK_BYTES - len(tail)
    while len(lines) < room - 200:
        lines += stamped(len(lines) / 1e5, "x")
    return lines + stamped(1, "x" * (room - len(lines) - len(stamped(1, "")))) + tail


def test_a_traceback_that_goes_on_in_the_next_block_stays_with_its_late_line(tmp_path: Path) -> None:
    trace = b"".join(b"  at line %d\n" % number for number in range(9))
    begin = up_to_the_border(stamped(9.01, "two") + stamped(9.0, "late") + trace)
    (tmp_path / "a.log").write_bytes(begin + trace + stamped(9.005, "one more") + stamped(10, "end"))
    found = rows([open_log(tmp_path / "a.log")], 0, 9999)
    expected = [*stamped(9.0, "late").split(b"\n")[:-1], *(trace + trace).split(b"\n")[:-1]]
    expected += [stamped(9.005, "one more")[:-1], stamped(9.01, "two")[:-1], stamped(10, "end")[:-1]]
    assert found[-len(expected) :] == expected


@pytest.mark.parametrize("chunk", [10_000, 1_000_000])
def test_a_traceback_longer_than_a_block_stays_with_its_late_line(tmp_path: Path, chunk: int) -> None:
    trace = b"".join(b"  at line %d\n" % number for number in range(6000))
    late = stamped(9.0, "late") + trace
    data = up_to_the_border(stamped(9.01, "two")) + late + stamped(9.02, "end")
    log = open_log(tmp_path / "a.log")
    for at in range(0, len(data), chunk):
        with (tmp_path / "a.log").open("ab") as file:
            file.write(data[at : at + chunk])
        log.poll()
        rows([log], log.row_count - 40, 40)
    assert rows([log], 0, 99_999)[-6002:-1] == late.split(b"\n")[:-1]


def test_a_hit_that_stands_below_the_next_block_s_first_lines_is_found_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "run/logs/step_001"
    folder.mkdir(parents=True)
    below = [stamped(9.0, "a"), stamped(9.005, "b"), stamped(9.01, "c")]
    (folder / "a.log").write_bytes(up_to_the_border(stamped(9.02, "hit")) + b"".join(below) + stamped(10, "end"))
    logs = RunLogs(tmp_path / "run")
    logs.poll()
    source = logs.source(1)
    source.advance(1)
    hit = source.row_count - 2
    assert source.rows(hit, 1)[0].line.message == "hit"
    search = source.search(Pattern("hit"))
    for row in range(hit - 5, hit + 2):
        search.look(row, forward=row < hit)
        while not (answer := search.found(1))[0]:
            pass
        assert answer[1] == (hit if row != hit else None)


@pytest.mark.parametrize("pace_s", [0.02, 0.004])
def test_every_row_of_one_log_is_where_a_plain_sort_puts_it(tmp_path: Path, pace_s: float) -> None:
    records = two_writers(1, 5000, pace_s)
    (tmp_path / "a.log").write_bytes(b"".join(record for _, record in records))
    logs, expected = [open_log(tmp_path / "a.log")], in_order(records)
    assert len(logs[0].table) > 8
    assert rows(logs, 0, len(expected)) == expected != b"".join(record for _, record in records).split(b"\n")[:-1]
    for start in borders(logs):
        fresh = [open_log(tmp_path / "a.log")]  # whatever was looked at before
        assert rows(fresh, start, 7) == expected[start : start + 7]


def test_every_row_of_several_logs_is_where_a_plain_sort_puts_it(tmp_path: Path) -> None:
    records: list[tuple[float, bytes]] = []
    logs = []
    for number in range(3):
        mine = two_writers(number, 1500, 0.03, name="abc"[number])
        (tmp_path / f"{number}.log").write_bytes(b"".join(record for _, record in mine))
        logs.append(open_log(tmp_path / f"{number}.log"))
        records += mine
    expected = in_order(records)
    assert rows(logs, 0, len(expected)) == expected
    for start in [*borders(logs), *random.Random(1).sample(range(len(expected)), 40), len(expected) - 30]:
        assert rows(logs, start, 9) == expected[start : start + 9]
        place = log_merge.places(logs, start, 1)[0]
        assert log_merge.row_of(logs, place.log, place.offset) == start


def test_a_log_whose_blocks_are_shorter_than_the_window_loses_and_doubles_no_line(tmp_path: Path) -> None:
    chance = random.Random(4)
    lines = [stamped(number * 0.00002 + chance.random() * 0.3, f"{number} " + "x" * 100) for number in range(6000)]
    (tmp_path / "a.log").write_bytes(b"".join(lines))
    (tmp_path / "b.log").write_bytes(b"".join(lines[::2]))
    logs = [open_log(tmp_path / "a.log"), open_log(tmp_path / "b.log")]
    for shown in (logs[:1], logs):
        total = log_merge.row_total(shown)
        places = log_merge.places(shown, 0, total)
        assert len({(place.log, place.offset) for place in places}) == total == len(places)
        assert [place.time for place in places] == sorted(place.time for place in places)
        for start in chance.sample(range(total), 60):
            assert log_merge.places(shown, start, 5) == places[start : start + 5]
            assert log_merge.row_of(shown, places[start].log, places[start].offset) == start


@pytest.mark.parametrize("chunk", [700, 30_000, 200_000])
def test_what_was_read_while_it_grows_moves_by_no_more_than_the_window(tmp_path: Path, chunk: int) -> None:
    records = two_writers(7, 6000, 0.004)
    data = b"".join(record for _, record in records)
    times = {line: seconds for seconds, record in records for line in record.split(b"\n")[:-1]}
    log = open_log(tmp_path / "a.log")
    read: list[bytes] = []
    with (tmp_path / "a.log").open("ab", buffering=0) as file:
        for at in range(0, len(data), chunk):
            file.write(data[at : at + chunk])
            log.poll()
            shown = [line for line in rows([log], max(log.row_count - 150, 0), 150) if line in times]
            if read and read[0] in shown:
                assert shown[shown.index(read[0]) :][: len(read)] == read
            newest = max(map(times.__getitem__, shown))
            read = [line for line in shown[-60:] if times[line] < newest - WINDOW_S]
    assert rows([log], 0, log.row_count) == in_order(records)


def test_following_a_log_of_two_writers_reads_each_byte_once_and_little_more(tmp_path: Path) -> None:
    records = two_writers(3, 12_000, 0.002)
    data = b"".join(record for _, record in records)
    for chunk in (3000, 70_000, 140_000, 400_000):
        path = tmp_path / f"{chunk}.log"
        path.write_bytes(b"")
        log = open_log(path)
        with path.open("ab", buffering=0) as file:
            for at in range(0, len(data), chunk):
                file.write(data[at : at + chunk])
                log.poll()
                for place in log_merge.places([log], max(log.row_count - 40, 0), 40):
                    log.stream.read(place.offset, 300)
        assert log.stream.bytes_read <= 2 * len(data), chunk


def test_the_order_is_right_when_the_end_was_indexed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_index, "AT_ONCE_BYTES", 200_000)
    records = two_writers(5, 9000, 0.004)
    (tmp_path / "a.log").write_bytes(b"".join(record for _, record in records))
    log, expected = open_log(tmp_path / "a.log"), in_order(records)
    assert not log.exact
    log.count_tail(30)
    assert rows([log], log.row_count - 30, 30) == expected[-30:]
    while log.work(0):
        pass
    assert rows([log], 0, log.row_count) == expected


def test_hits_are_found_in_the_order_of_the_rows(tmp_path: Path) -> None:
    folder = tmp_path / "run/logs/step_001"
    folder.mkdir(parents=True)
    for number in range(2):
        mine = two_writers(number, 2500, 0.003, name="ab"[number])
        (folder / f"{number}.log").write_bytes(b"".join(record for _, record in mine))
    logs = RunLogs(tmp_path / "run")
    logs.poll()
    for components in (["0"], None):
        source = logs.source(1, components)
        while source.advance(0.01):
            pass
        pattern = Pattern("7 xxxxx")
        texts = [row.line.text for row in source.rows(0, source.row_count)]
        hits = [row for row, text in enumerate(texts) if "7 xxxxx" in text]
        assert len(hits) > 200
        search = source.search(pattern)
        for row in random.Random(2).sample(range(len(texts)), 150):
            at = bisect_right(hits, row)
            for forward, expected in ((True, hits[at : at + 1]), (False, [hit for hit in hits if hit < row][-1:])):
                search.look(row, forward=forward)
                done, found = False, None
                while not done:
                    done, found = search.found(0.01)
                assert found == (expected or [None])[0]


class _Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("look_s", [0.1, 0.04])
def test_a_tail_puts_what_comes_late_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look_s: float) -> None:
    clock = _Clock()
    monkeypatch.setattr(log_tail, "monotonic", clock)
    folder = tmp_path / "run/logs/step_001"
    folder.mkdir(parents=True)
    arriving, records = [], []
    for number in range(3):
        mine = two_writers(number, 300, 0.01, name="abc"[number])
        records += mine
        latest = 0.0
        for seconds, record in mine:  # each is written when its writer gets to it, in the order of the file
            latest = max(latest, seconds)
            arriving.append((latest, number, record))
    logs = RunLogs(tmp_path / "run")
    for number in range(3):
        (folder / f"{number}.log").touch()
    logs.poll()
    source = logs.source(1)
    source.advance(0.01)
    tail, given = source.tail(), []
    assert tail.take(9) == []
    arriving.sort(key=lambda each: each[0])
    end = max(seconds for seconds, _ in records) + 1
    while clock.now < end:
        clock.now += look_s
        while arriving and arriving[0][0] <= clock.now:
            _, number, record = arriving.pop(0)
            with (folder / f"{number}.log").open("ab") as file:
                file.write(record)
        source.advance(0.01)
        while page := tail.take(50):
            given += [row.line.text.encode() for row in page]
    assert given == in_order(records)


def test_a_tail_holds_no_more_lines_than_stand_within_the_window(tmp_path: Path) -> None:
    folder = tmp_path / "run/logs/step_001"
    folder.mkdir(parents=True)
    (folder / "a.log").write_bytes(b"".join(record for _, record in two_writers(1, 9000, 0.01)))
    (folder / "b.log").write_bytes(b"".join(stamped(1, f"{number}") for number in range(9000)))  # one instant
    logs = RunLogs(tmp_path / "run")
    logs.poll()
    source = logs.source(1)
    assert isinstance(source, MergedLogs)
    while source.advance(0.01):
        pass
    tail, most, given = source.tail(), 0, 0
    while page := tail.take(20):
        given += len(page)
        most = max(most, len(tail._pending))
    assert given == source.row_count
    assert most < 200 + BLOCK_BYTES // 30
