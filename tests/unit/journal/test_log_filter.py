"""Lines from a level on: exactly those that say so with what belongs to them, wherever one looks and as logs grow."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from runwatch.journal import log_filter
from runwatch.journal.log_files import RunLogs
from runwatch.journal.log_hits import Pattern
from runwatch.journal.log_lines import LEVELS, parse_line
from runwatch.journal.log_source import LogSource

START = 1_795_224_000.0


def random_lines(seed: int, count: int) -> list[bytes]:
    """Make lines of every spelling of a level, and lines without one."""
    chance, lines, seconds = random.Random(seed), [], 0.0
    for number in range(count):
        seconds += chance.choice([0.0, 0.004, 0.3])
        at = seconds - chance.choice([0.0, 0.0, 0.02])
        name = chance.choice(["debug", "INFO", "info", "WARN", "warning", "Error", "CRITICAL", "trace", "notice", "x"])
        text = f"{number} " + chance.choice(["no error here", "traceback", "w e d", "plain", "y" * 150])
        iso = f"2026-11-21T10:{int(at) // 60 % 60:02d}:{at % 60:09.6f}Z"
        lines.append(
            chance.choice(
                [
                    f'{{"ts": {START + at:.6f}, "level": "{name}", "msg": "{text}"}}',
                    f'{{"ts": {START + at:.6f}, "level": {chance.choice([10, 20, 30, 40, 50])}, "msg": "{text}"}}',
                    f'{{"ts": {START + at:.6f}, "msg": "{text}"}}',
                    f"{iso} {name.upper()} {text}",
                    f"{iso} {chance.choice('TDIWEF')} {text}",
                    f"ts={iso} level={name} msg={number}",
                    f"[{name}] {text}",
                    f"\x1b[1m\x1b[3{chance.randrange(8)}m{chance.choice('EDx')}   {text}\x1b[0m",
                    f"\x1b[{chance.choice(['', '0;', '38;5;9;'])}1m{name.upper()}\x1b[m: {text}",
                    f"  at {text}",
                    f"  at {text}",
                    "",
                ]
            ).encode()
        )
    return lines


def make(root: Path, logs: dict[str, list[bytes]]) -> RunLogs:
    folder = root / "run/logs/step_001"
    folder.mkdir(parents=True)
    for name, lines in logs.items():
        (folder / f"{name}.log").write_bytes(b"".join(line + b"\n" for line in lines))
    found = RunLogs(root / "run")
    found.poll()
    return found


def settle(source: LogSource) -> LogSource:
    while source.advance(0.01):
        pass
    return source


def wanted(source: LogSource, level: str) -> list[tuple[int, int]]:
    """Work out, the plain way, which lines of a source have a level: in its order."""
    rows = source.rows(0, source.row_count)
    least, chosen = LEVELS.index(level), set()
    state: dict[int, tuple[int, bool]] = {}
    for row in sorted(rows, key=lambda row: row.key):
        line = parse_line(row.line.text.encode(), near=START)
        rank, whole = state.get(row.key.log, (LEVELS.index("INFO"), False))
        if line.level:
            rank, whole = LEVELS.index(line.level), line.time is not None or line.text.startswith("{")
        elif not whole and not line.text.startswith(" ") and line.text:
            rank, whole = LEVELS.index("INFO"), True
        state[row.key.log] = rank, whole
        if rank >= least:
            chosen.add(row.key)
    return [(row.key.log, row.key.offset) for row in rows if row.key in chosen]


def shown(source: LogSource, start: int = 0, count: int = 1_000_000) -> list[tuple[int, int]]:
    return [(row.key.log, row.key.offset) for row in source.rows(start, min(count, source.row_count))]


@pytest.mark.parametrize("level", ["INFO", "WARN", "ERROR"])
@pytest.mark.parametrize("components", [["a"], None])
def test_the_rows_are_those_of_the_level_in_the_same_order(
    tmp_path: Path, level: str, components: list[str] | None
) -> None:
    logs = make(tmp_path, {"a": random_lines(1, 3000), "b": random_lines(2, 2000)})
    source = settle(logs.source(1, components))
    filtered = settle(source.from_level(level))
    expected = wanted(source, level)
    assert (filtered.row_count, filtered.exact, filtered.line_count) == (len(expected), True, source.row_count)
    assert shown(filtered) == expected
    for start in random.Random(3).sample(range(len(expected)), 40):
        assert shown(filtered, start, 5) == expected[start : start + 5]
        row = filtered.rows(start, 1)[0]
        assert filtered.row_of(row.key) == start


def test_the_end_is_right_before_older_lines_were_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_filter, "_AT_ONCE_BLOCKS", 2)
    logs = make(tmp_path, {"a": random_lines(5, 12_000)})
    source = settle(logs.source(1))
    filtered, expected = source.from_level("WARN"), wanted(source, "WARN")
    assert filtered.advance(0)
    assert not filtered.exact
    assert 0 < filtered.row_count < len(expected)
    assert shown(filtered) == expected[-filtered.row_count :]
    settle(filtered)
    assert shown(filtered) == expected


def test_lines_are_filtered_as_they_come_whatever_the_pieces(tmp_path: Path) -> None:
    lines = random_lines(7, 3000)
    data = b"".join(line + b"\n" for line in lines)
    logs = make(tmp_path, {"a": [], "b": random_lines(8, 300)})
    sources = {level: logs.source(1).from_level(level) for level in ("INFO", "WARN", "ERROR")}
    chance, at = random.Random(9), 0
    with (tmp_path / "run/logs/step_001/a.log").open("ab", buffering=0) as file:
        while at < len(data):
            size = chance.choice([1, 50, 3000, 30_000])
            file.write(data[at : at + size])
            at += size
            for source in sources.values():
                source.advance(0.001)
                source.rows(max(source.row_count - 20, 0), 20)
    plain = settle(logs.source(1))
    for level, source in sources.items():
        assert shown(settle(source)) == wanted(plain, level)


def test_a_log_that_begins_anew_is_filtered_anew(tmp_path: Path) -> None:
    logs = make(tmp_path, {"a": [b"ERROR one", b"INFO two", b"ERROR three"]})
    source = settle(logs.source(1).from_level("ERROR"))
    assert source.row_count == 2
    (tmp_path / "run/logs/step_001/a.log").write_bytes(b"ERROR four\n")
    settle(source)
    assert [row.line.text for row in source.rows(0, 9)] == ["ERROR four"]


def test_a_search_counts_and_finds_only_what_is_wanted(tmp_path: Path) -> None:
    logs = make(tmp_path, {"a": random_lines(11, 4000), "b": random_lines(12, 1000)})
    source = settle(logs.source(1).from_level("WARN"))
    texts = [row.line.text for row in source.rows(0, source.row_count)]
    hits = [row for row, text in enumerate(texts) if "traceback" in text]
    search = source.search(Pattern("traceback"))
    while search.advance(0.01):
        pass
    assert search.complete
    assert search.hits == len(hits)
    found, row = [], -1
    while True:
        search.look(row, forward=True)
        done, hit = False, None
        while not done:
            done, hit = search.found(0.01)
        if hit is None:
            break
        found.append(hit)
        row = hit
    assert found == hits


def test_following_filtered_logs_reads_little_more_than_what_is_added(tmp_path: Path) -> None:
    data = b"".join(line + b"\n" for line in random_lines(13, 9000))
    logs = make(tmp_path, {"a": []})
    source = settle(logs.source(1).from_level("ERROR"))
    with (tmp_path / "run/logs/step_001/a.log").open("ab", buffering=0) as file:
        for at in range(0, len(data), 5000):
            file.write(data[at : at + 5000])
            source.advance(0.004)
            source.rows(max(source.row_count - 40, 0), 40)
    stream = source._logs[0].index.stream  # type: ignore[attr-defined]
    assert stream.bytes_read <= 2 * len(data)
