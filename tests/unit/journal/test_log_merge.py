"""Several logs as one: every row is where a plain sort of all lines would put it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runwatch.journal import log_index, log_merge
from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_times import LineTimes
from runwatch.journal.log_window import read_line

START = 1_795_224_000.0


def open_logs(folder: Path, *names: str) -> list[LogIndex]:
    logs = [LogIndex(LogStream(LogFolder(folder), [name]), LineTimes(None)) for name in names]
    for log in logs:
        log.poll()
    return logs


def finish(logs: list[LogIndex]) -> list[LogIndex]:
    for log in logs:
        while log.work(0.01):
            pass
    return logs


def write_logs(folder: Path, seed: int, files: int, lines: int, ticks: float) -> list[tuple[float, int, int, bytes]]:
    """Write logs in which time only goes forward; return (time, log, number, line) of every line, in order."""
    chance = random.Random(seed)
    expected = []
    for log in range(files):
        seconds, rows = START + chance.random(), []
        for number in range(chance.randrange(1, lines)):
            if number and chance.random() < 0.2:
                line = b"  continued %d" % number + b"." * chance.randrange(300)
            else:
                seconds = round(seconds + chance.choice([0.0, ticks, ticks * 10]), 3)
                line = b'{"ts": %.6f, "msg": "%d of %d %s"}' % (seconds, number, log, b"z" * chance.randrange(300))
            rows.append(line)
            expected.append((seconds, log, number, line))
        (folder / f"{log}.log").write_bytes(b"".join(row + b"\n" for row in rows))
    return sorted(expected)


def merged(logs: list[LogIndex], start: int, count: int) -> list[bytes]:
    return [
        read_line(logs[place.log], place.offset, place.end).raw.rstrip(b"\n")
        for place in log_merge.places(logs, start, count)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([0.0, 0.001, 0.5]))
def test_the_merged_order_is_that_of_a_plain_sort(
    tmp_path_factory: pytest.TempPathFactory, seed: int, files: int, ticks: float
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    expected = write_logs(folder, seed, files, 1500, ticks)
    logs = open_logs(folder, *(f"{log}.log" for log in range(files)))
    assert log_merge.row_total(logs) == len(expected)
    chance = random.Random(seed)
    for start in [0, *chance.sample(range(len(expected)), min(12, len(expected))), max(len(expected) - 50, 0)]:
        rows = merged(logs, start, 50)
        assert rows == [line for _, _, _, line in expected[start : start + 50]]
        place = log_merge.places(logs, start, 1)[0]
        assert log_merge.row_of(logs, place.log, place.offset) == start


def test_a_line_without_a_time_stays_below_the_one_above_it(tmp_path: Path) -> None:
    trace = [
        b'{"ts": %.3f, "msg": "failed"}' % (START + 1),
        b"Traceback (most recent call last):",
        b"  at line 3",
        b"Boom",
    ]
    (tmp_path / "a.log").write_bytes(b"\n".join(trace) + b"\n")
    (tmp_path / "b.log").write_bytes(b"\n".join(b'{"ts": %.3f, "msg": "b"}' % (START + at) for at in (0, 1, 2)) + b"\n")
    logs = open_logs(tmp_path, "a.log", "b.log")
    rows = merged(logs, 0, 99)
    assert rows[1:5] == trace


def test_live_growth_of_every_log_keeps_the_order(tmp_path: Path) -> None:
    logs = open_logs(tmp_path, *(f"{log}.log" for log in range(5)))
    chance, now, lines = random.Random(5), START, []
    files = [(tmp_path / f"{log}.log").open("ab", buffering=0) for log in range(5)]
    for number in range(1200):
        now = round(now + chance.choice([0.0, 0.001, 0.05]), 3)
        log = chance.randrange(5)
        line = b'{"ts": %.3f, "msg": "%d"}' % (now, number)
        files[log].write(line + b"\n")
        lines.append((now, log, number, line))
        for index in logs:
            index.poll()
        if number % 50 == 0:
            expected = [line for _, _, _, line in sorted(lines)]
            assert merged(logs, len(lines) - 40 if len(lines) > 40 else 0, 40) == expected[-40:]
    expected = [line for _, _, _, line in sorted(lines)]
    assert merged(logs, 0, len(lines)) == expected
    for file in files:
        file.close()


def test_a_late_line_goes_where_its_time_says(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"".join(b'{"ts": %.3f, "msg": "a"}\n' % (START + at) for at in range(10)))
    (tmp_path / "b.log").write_bytes(b'{"ts": %.3f, "msg": "b"}\n' % START)
    logs = open_logs(tmp_path, "a.log", "b.log")
    anchor = log_merge.places(logs, 8, 1)[0]
    with (tmp_path / "b.log").open("ab") as file:
        file.write(b'{"ts": %.3f, "msg": "late"}\n' % (START + 3.5))
    logs[1].poll()
    assert b"late" in merged(logs, 5, 1)[0]
    assert log_merge.row_of(logs, anchor.log, anchor.offset) == 9


def test_thousands_of_lines_of_one_instant_are_found_without_walking_over_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[int] = []
    walk = log_merge.walk
    monkeypatch.setattr(
        log_merge, "walk", lambda logs, cut, count, stop: walked.append(count) or walk(logs, cut, count, stop)
    )
    for log in range(3):
        (tmp_path / f"{log}.log").write_bytes(
            b"".join(b'{"ts": %.3f, "msg": "%d %d"}\n' % (START, log, number) for number in range(5000))
        )
    logs = open_logs(tmp_path, "0.log", "1.log", "2.log")
    assert b'"1 2500"' in merged(logs, 7500, 1)[0]
    assert b'"2 4999"' in merged(logs, 14_999, 1)[0]
    assert max(walked) <= 500


@pytest.mark.parametrize("seed", range(3))
def test_the_end_is_right_before_the_rest_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    expected = write_logs(tmp_path, seed, 3, 6000, 0.01)
    monkeypatch.setattr(log_index, "AT_ONCE_BYTES", 200_000)
    logs = open_logs(tmp_path, "0.log", "1.log", "2.log")
    total = log_merge.row_total(logs)
    assert merged(logs, total - 40, 40) == [line for _, _, _, line in expected[-40:]]
    place = log_merge.places(logs, total - 5, 1)[0]
    assert log_merge.row_of(logs, place.log, place.offset) == total - 5
    finish(logs)
    assert merged(logs, 0, len(expected)) == [line for _, _, _, line in expected]
    assert log_merge.row_of(logs, place.log, place.offset) == len(expected) - 5
