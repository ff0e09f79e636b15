"""Reading while others append: whole lines only, once each, whatever the cuts."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runwatch.events import encode
from runwatch.events.calls import ToolStarted
from runwatch.journal.follow import Follower, events

JOURNAL = b"".join(encode(ToolStarted(tool="é" * number, seq=number)) for number in range(12))


@settings(max_examples=60)
@given(cuts=st.lists(st.integers(0, len(JOURNAL)), max_size=12), limit=st.integers(1, 300))
def test_any_growth_gives_every_line_once(tmp_path_factory, cuts: list[int], limit: int) -> None:  # type: ignore[no-untyped-def]
    path: Path = tmp_path_factory.mktemp("follow") / "events.jsonl"
    follower, seen, written = Follower(path), [], 0
    for cut in [*sorted(cuts), len(JOURNAL)]:
        with path.open("ab") as file:
            file.write(JOURNAL[written:cut])
        written = cut
        for _ in range(len(JOURNAL)):
            before = follower.offset + len(follower.unfinished())
            seen += follower.read(limit)
            if before == follower.offset + len(follower.unfinished()):
                break
        assert JOURNAL[: follower.offset].endswith(b"\n") or follower.offset == 0
    assert seen == JOURNAL[:-1].split(b"\n")
    assert follower.offset == len(JOURNAL)
    follower.close()


@settings(max_examples=100)
@given(cut=st.integers(0, len(JOURNAL)))
def test_any_truncation_is_survived_and_costs_only_the_torn_line(tmp_path_factory, cut: int) -> None:  # type: ignore[no-untyped-def]
    path: Path = tmp_path_factory.mktemp("cut") / "events.jsonl"
    path.write_bytes(JOURNAL[:cut])
    whole = JOURNAL[:cut].count(b"\n")
    read = [event for _, event in events(path)]
    assert [event.seq for event in read[:whole] if event] == list(range(whole))
    assert len(read) <= whole + 1


def test_garbage_between_lines_is_none_and_reading_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    good = b'{"type":"tool.started","tool":"x"}\n'
    path.write_bytes(good + b"\x00\xff garbage\n\n[1]\n" + good)
    assert [event is not None for _, event in events(path)] == [True, False, False, True]


def test_a_replaced_journal_is_read_again_from_its_start_and_said(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"one\ntwo\n")
    follower = Follower(path)
    assert follower.read() == [b"one", b"two"]
    (tmp_path / "new").write_bytes(b"three\n")
    (tmp_path / "new").replace(path)
    assert follower.read() == [b"three"]
    assert follower.restarted


def test_a_missing_journal_is_nothing_yet(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "events.jsonl")
    assert follower.read() == []
    (tmp_path / "events.jsonl").write_bytes(b"one\n")
    assert follower.read() == [b"one"]
    assert not follower.restarted


def test_offsets_stand_behind_each_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(JOURNAL)
    ends = [offset for offset, _ in events(path)]
    assert ends[-1] == len(JOURNAL)
    assert [JOURNAL[end - 1 : end] for end in ends] == [b"\n"] * len(ends)
    assert [event for _, event in events(path, ends[3])] == [event for _, event in list(events(path))[4:]]
