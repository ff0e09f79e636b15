"""Rows of several logs as a viewer and a pipe take them: errors counted, logs joining, every line once."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from runwatch.journal import log_index, log_tail, merged_logs
from runwatch.journal.log_files import RunLogs
from runwatch.journal.merged_logs import MergedLogs
from runwatch.journal.output_index import format_record

START = 1_795_224_000.0


def line(at: float, text: str, level: str = "INFO") -> bytes:
    return b'{"ts": %.3f, "level": "%s", "msg": "%s"}\n' % (START + at, level.encode(), text.encode())


class Step:
    """A step's folder that a test writes."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "logs" / "step_001"
        self.folder.mkdir(parents=True)
        self.logs = RunLogs(root)

    def add(self, component: str, data: bytes) -> None:
        with (self.folder / f"{component}.log").open("ab") as file:
            file.write(data)

    def source(self, *components: str) -> MergedLogs:
        self.logs.poll()
        source = self.logs.source(1, list(components) or None)
        assert isinstance(source, MergedLogs)
        settle(source)
        return source


def settle(source: MergedLogs) -> None:
    while source.advance(0.01):
        pass


def messages(source: MergedLogs, start: int = 0, count: int = 10_000) -> list[str]:
    return [row.line.message for row in source.rows(start, count)]


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path / "run")


def test_errors_are_counted_exactly_and_live(step: Step) -> None:
    step.add(
        "adapter", line(1, "no ERROR here") + line(2, "bad", "ERROR") + b"ERROR: worse\n" + line(3, "dead", "CRITICAL")
    )
    step.add("stdout", b'{"level":"error","msg":"x"}\nlevel=error msg=y\nsrc.c:1: error: z\nan "error" that is none\n')
    step.add(
        "stderr",
        b"E   assert 1\nEverything fine\nE   too\n" + b'{"level":50,"msg":"pino"}\n{"level":30,"msg":"pino"}\n',
    )
    source = step.source()
    assert source.errors == 9
    step.add("adapter", line(4, "fine") + line(5, "bad again", "ERROR"))
    settle(source)
    assert source.errors == 10


def test_of_a_huge_log_only_the_last_errors_are_counted_by_themselves(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merged_logs, "_ERRORS_FROM_END_BYTES", 10_000)
    step.add("adapter", b"".join(line(n, "bad", "ERROR") for n in range(1000)))
    source = step.source()
    assert 100 < source.errors < 300


def test_the_end_is_the_end_though_what_lies_before_it_is_an_estimate(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_index, "AT_ONCE_BYTES", 100_000)
    step.add(
        "adapter", b"".join(line(n, f"{n}") for n in range(3000)) + b"".join(line(n, "x" * 50_000) for n in range(40))
    )
    step.logs.poll()
    source = step.logs.source(1)
    source.advance(0)
    assert not source.exact
    rows = source.rows(source.row_count - 30, 30)
    assert len(rows) == 30
    assert rows[-1].line.time == START + 39
    assert source.row_of(rows[-1].key) == source.row_count - 1


def test_a_component_that_begins_later_joins(step: Step) -> None:
    step.add("adapter", line(1, "one") + line(3, "three"))
    source = step.source()
    before = source.generation
    step.add("metrics", line(2, "two"))
    step.logs.poll()
    settle(source)
    assert messages(source) == ["one", "two", "three"]
    assert source.components == ("adapter", "metrics")
    assert source.generation != before


def test_a_line_keeps_its_key_while_it_moves(step: Step) -> None:
    step.add("adapter", line(1, "one") + line(3, "three"))
    step.add("metrics", line(0, "zero"))
    source = step.source()
    key = source.rows(2, 1)[0].key
    step.add("metrics", line(2, "two"))
    settle(source)
    assert source.row_of(key) == 3
    (step.folder / "adapter.log").write_bytes(line(9, "anew"))
    settle(source)
    assert source.row_of(key) is None


def test_output_without_times_is_merged_by_when_it_arrived(step: Step) -> None:
    step.add("stdout", b"first\nsecond\nthird\n")
    step.add("adapter", line(1.5, "between"))
    records = [(1.0, 0), (2.0, 6), (2.0, 13)]
    index = step.folder.parent / "output.idx"
    index.write_bytes(b"".join(format_record(START + at, "step_001/stdout.log", offset) for at, offset in records))
    source = step.source()
    assert messages(source) == ["first", "between", "second", "third"]
    assert [row.time for row in source.rows(0, 9)] == [START + at for at in (1.0, 1.5, 2.0, 2.0)]


def test_a_line_without_a_time_has_none_to_show(step: Step) -> None:
    step.add("adapter", line(1, "timed") + b"not timed\n")
    step.add("other", b"never timed\n")
    assert {row.line.message: row.time for row in step.source().rows(0, 9)} == {
        "timed": START + 1,
        "not timed": None,
        "never timed": None,
    }


def test_a_stated_time_counts_unless_it_lies_in_another_zone(step: Step) -> None:
    step.add("stdout", line(1.0, "buffered") + line(7200.0, "two hours ahead") + b"plain\n")
    step.add("stderr", line(-7200.0, "two hours behind"))
    step.add("adapter", line(4.0, "between"))
    index = step.folder.parent / "output.idx"
    records = [format_record(START + 5.0, f"step_001/{name}.log", 0) for name in ("stdout", "stderr")]
    index.write_bytes(b"".join(records))
    assert messages(step.source()) == ["buffered", "between", "two hours ahead", "plain", "two hours behind"]


@pytest.mark.parametrize("piece", [b"\r%5d%% done", b".%05d"])
def test_following_a_line_that_never_ends_reads_little_more_than_what_is_added(step: Step, piece: bytes) -> None:
    step.add("stdout", b"begin\n")
    source = step.source()
    stream = source._logs[0].index.stream
    before, appended = stream.bytes_read, 0
    for number in range(9000):
        appended += len(piece % number)
        step.add("stdout", piece % number)
        if number % 3 == 0:
            source.advance(0.001)
            assert len(source.rows(0, 9)) == 2
    assert stream.bytes_read - before <= 2 * appended
    text = source.rows(1, 1)[0].line.text
    assert text == " 8997% done" if piece.startswith(b"\r") else text.startswith(".00000")


def test_the_first_row_of_a_time_is_found(step: Step) -> None:
    step.add("adapter", b"".join(line(n, f"{n}") for n in range(1000)))
    step.add("metrics", b"".join(line(n + 0.5, f"{n}.5") for n in range(1000)))
    source = step.source()
    row = source.row_at_time(START + 500.25)
    assert messages(source, row, 1) == ["500.5"]
    assert source.row_at_time(START - 5) == 0
    assert source.row_at_time(START + 5000) == source.row_count


def test_a_tail_gives_every_line_once_whatever_arrives_when(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tail, "WINDOW_S", 0.0)
    names, chance, written = ("adapter", "metrics", "stdout"), random.Random(3), []
    step.add("adapter", line(0, "0"))
    source = step.source()
    tail, given, now = source.tail(), [], 0.0
    for number in range(1, 2000):
        now += chance.random()
        late = 50.0 if chance.random() < 0.05 else 0.0
        step.add(names[chance.randrange(3)], line(now - late, str(number)))
        written.append(str(number))
        if number % 7 == 0:
            step.logs.poll()
            settle(source)
            given += [row.line.message for row in tail.take(5)]
    settle(source)
    while page := tail.take(100, final=True):
        given += [row.line.message for row in page]
    assert sorted(given, key=int) == ["0", *written]


def test_a_tail_of_what_was_there_before_is_in_order_from_a_time_on(step: Step) -> None:
    step.add("adapter", b"".join(line(n, f"{n}") for n in range(300)) + b"unfinished")
    step.add("metrics", b"".join(line(n + 0.5, f"{n}.5") for n in range(300)))
    source = step.source()
    tail = source.tail(START + 100.2)
    given = []
    while page := tail.take(37):
        given += [row.line.message for row in page]
    assert given == [name for n in range(100, 300) for name in (f"{n}", f"{n}.5")][1:]
    assert [row.line.message for row in tail.take(9, final=True)] == ["unfinished"]


def test_a_tail_holds_a_line_back_until_earlier_ones_had_time_to_come(step: Step) -> None:
    step.add("adapter", line(1, "one"))
    step.add("metrics", b"")
    source = step.source()
    tail = source.tail()
    assert [row.line.message for row in tail.take(9)] == ["one"]
    step.add("adapter", line(3, "three"))
    settle(source)
    assert tail.take(9) == []
    step.add("metrics", line(2, "two"))
    given: list[str] = []
    while len(given) < 2:
        settle(source)
        given += [row.line.message for row in tail.take(9)]
    assert given == ["two", "three"]


def test_a_tail_begins_anew_with_a_truncated_log(step: Step) -> None:
    step.add("adapter", line(1, "one") + line(2, "two"))
    source = step.source()
    tail = source.tail()
    assert len(tail.take(9)) == 2
    (step.folder / "adapter.log").write_bytes(line(3, "three"))
    settle(source)
    assert [row.line.message for row in tail.take(9, final=True)] == ["three"]


def test_two_sources_of_one_run_may_be_used_by_two_threads(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_index, "AT_ONCE_BYTES", 50_000)
    step.add("adapter", b"".join(line(n, f"{n}") for n in range(20_000)))
    step.add("metrics", b"".join(line(n, f"{n}") for n in range(20_000)))
    step.logs.poll()

    def read(source: MergedLogs) -> None:  # what it raises fails the test
        for _ in range(60):
            source.advance(0.0005)
            for row in source.rows(max(source.row_count - 20, 0), 20):
                assert source.row_of(row.key) is not None

    sources = [step.logs.source(1), step.logs.source(1, ["adapter"])]
    threads = [threading.Thread(target=read, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for source in sources:
        settle(source)
    assert [source.row_count for source in sources] == [40_000, 20_000]


def test_logs_at_rest_are_not_stirred_until_something_happens_to_them(step: Step) -> None:
    step.add("adapter", line(1, "one"))
    source = step.source()
    assert not source.stirred()
    happenings = [
        lambda: step.add("adapter", line(2, "two")),
        lambda: step.add("metrics", line(2, "two")),
        lambda: (step.folder / "adapter.log").write_bytes(b""),
        lambda: (step.folder / "adapter.log").rename(step.folder / "adapter.log.1"),
        lambda: (step.folder / "adapter.log").write_bytes(line(3, "three")),
        lambda: (step.folder.parent / "output.idx").write_bytes(format_record(START, "step_001/stdout.log", 0)),
    ]
    for happen in happenings:
        happen()
        step.logs.poll()
        assert source.stirred()
        settle(source)
        settle(source)
        assert not source.stirred()
