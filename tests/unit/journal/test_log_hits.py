"""Which lines match, each counted once, as they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from runwatch.journal.log_folder import LogFolder
from runwatch.journal.log_hits import Errors, HitCounter, Pattern
from runwatch.journal.log_index import LogIndex
from runwatch.journal.log_stream import LogStream
from runwatch.journal.log_times import LineTimes


def starts(data: bytes, text: str, *, regex: bool = False) -> list[int]:
    return list(Pattern(text, regex=regex).matches(data))


def counter(path: Path, text: str) -> tuple[LogIndex, HitCounter]:
    index = LogIndex(LogStream(LogFolder(path.parent), [path.name]), LineTimes(None))
    index.poll()
    return index, HitCounter(index, Pattern(text))


@pytest.mark.parametrize(
    ("text", "regex", "expected"),
    [
        ("needle", False, [0, 21]),
        ("Needle", False, [21]),
        ("ne+dle", True, [0, 21]),
        ("^needle", True, [0]),
        ("absent", False, []),
        ("[", False, []),
    ],
)
def test_a_line_matches_once_however_often_it_holds_the_text(text: str, regex: bool, expected: list[int]) -> None:
    assert starts(b"needle and a needle\n\nin a Needle stack needle", text, regex=regex) == expected


COLORED = b'plain fooBar\n\x1b[1m\x1b[31mfoo\x1b[0mBar\n[31mno\n{"msg":"\\u001b[32mfoo\\u001b[0mbar"}\nE   last\n'


@pytest.mark.parametrize(("text", "regex"), [("foobar", False), ("FOOBAR".lower(), True), ("o+b", True)])
def test_lines_are_searched_without_their_colors(text: str, regex: bool) -> None:
    assert [COLORED[start:].split(b"\n")[0] for start in starts(COLORED, text, regex=regex)] == [
        line for line in COLORED.split(b"\n") if b"foo" in line
    ]


def test_a_color_sequence_is_not_found_and_text_that_looks_like_one_is() -> None:
    assert [COLORED[start:].split(b"\n")[0] for start in starts(COLORED, "[31m")] == [b"[31mno"]


def test_error_lines_are_found_in_color() -> None:
    data = b"ok\n\x1b[1m\x1b[31mE       assert 1 == 2\x1b[0m\n\x1b[33mWARNING\x1b[0m x\n\x1b[31mERROR\x1b[0m: no\n"
    assert [data[start:][:14] for start in Errors().matches(data)] == [b"\x1b[1m\x1b[31mE    ", b"\x1b[31mERROR\x1b[0m"]


def test_a_match_never_runs_over_the_end_of_a_line() -> None:
    assert starts(b"one\ntwo\n", r"one\stwo", regex=True) == []


def test_a_pair_matches_as_logfmt_and_as_json() -> None:
    data = b'model=gpt-4o\n{"model":"gpt-4o"}\n{"model": "gpt-4o"}\n{"n":4}\nn=4\n'
    assert len(starts(data, "model=gpt")) == 3
    assert len(starts(data, "n=4")) == 2


def test_hits_are_counted_in_chunks_as_the_log_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    index, hits = counter(path, "hit")
    expected = 0
    with path.open("ab", buffering=0) as file:
        for number in range(4000):
            expected += number % 3 == 0
            file.write(b"a hit, a hit %d" % number if number % 3 == 0 else b"nothing %d" % number)
            if number % 11 == 0:
                index.poll()
                hits.advance(1)
            file.write(b"\n")
    index.poll()
    assert not hits.advance(1)
    assert hits.complete
    assert hits.total == expected == sum(hits.counts)
    assert sum(len(hits.in_block(number)) for number in range(len(index.table))) == expected


def test_a_line_longer_than_a_slice_counts_once_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"hit" + b"x" * 1_000_000 + b"hit\nhit\n" + b"y" * 600_000 + b"hit\n")
    index, hits = counter(path, "hit")
    while hits.advance(0):
        pass
    assert hits.total == 2
    assert [len(hits.in_block(number)) for number in range(len(index.table)) if hits.in_block(number)] == [1, 1]


def test_a_log_that_begins_anew_is_counted_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"hit\n" * 10)
    index, hits = counter(path, "hit")
    hits.advance(1)
    assert hits.total == 10
    path.write_bytes(b"hit\n")
    index.poll()
    hits.advance(1)
    assert hits.total == 1


def test_a_block_tells_its_hits_before_they_were_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    filler = b"nothing here\n" * 5000
    path.write_bytes(filler + b"a hit\n" + filler + b"z" * 20_000 + b"hit\n" + filler)
    index, hits = counter(path, "hit")
    found = [offset for number in range(len(index.table)) for offset in hits.in_block(number)]
    assert found == [len(filler), 2 * len(filler) + 6]
    while hits.advance(0):
        pass
    assert [offset for number in range(len(index.table)) for offset in hits.in_block(number)] == found


def test_a_hit_at_the_end_of_a_line_that_leaves_its_block_is_found_there(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    begin = b"x\n" * 32_700
    path.write_bytes(begin + b"y" * 30_000 + b"hit\nend\n")
    index, hits = counter(path, "hit")
    assert [hits.in_block(number) for number in range(len(index.table))] == [[len(begin)], []]
