"""Prices of a run of more model calls than are remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journals import Journal, fold_lines
from runwatch.fold import Fold, FoldSettings
from runwatch.fold.money import Price
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.record.pricing import PriceNoter

REMEMBERED = FoldSettings(remembered_calls=40)
NOW = "2026-11-21T12:00:00.000000Z"


def today(provider: Any, model: Any, prompt: int, completion: int, read: int, write: int, when: Any) -> Price:
    return Price(None, None) if model == "house" else Price(prompt * 1_000_003, "list 1 2026-01-01")


def tomorrow(*call: Any) -> Price:
    return Price(7, "list 2 2027-01-01")


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    found = RunPaths(tmp_path / "runs" / "baes" / "r1")
    found.journal.parent.mkdir(parents=True)
    found.journal.write_bytes(b"")
    return found


def calls(first: int, last: int) -> list[bytes]:
    """Model calls, every tenth of a model that nobody can price, every seventh with the provider's own cost."""
    journal = Journal(writer=f"w{first}")
    for number in range(first, last):
        fields: dict[str, Any] = {"prompt_tokens": number, "completion_tokens": 1}
        fields["model"] = "house" if number % 10 == 0 else "m"
        if number % 7 == 0:
            fields["cost_usd"] = 0.5
        journal.add("llm.completed", **fields)
    return journal.lines


class Recorder:
    """What the recorder does with a journal: reads what is new, and has due prices written."""

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.writer = EventWriter(paths)
        self.noter = PriceNoter(paths, self.writer)
        self.fold = Fold(today, REMEMBERED)
        self.offset = 0

    def read(self) -> None:
        data = self.paths.journal.read_bytes()[self.offset :]
        for line in data.splitlines(keepends=True):
            self.offset += len(line)
            self.fold.feed_line(line, self.offset)
            self.noter.poll(self.fold, self.offset)

    def end(self) -> None:
        """As the finalizer ends the journal, having read it to its end."""
        self.read()
        for price in self.fold.unrecorded_prices():
            self.writer.emit("llm.priced", ref=price.ref, cost_usd=price.cost_usd, prices=price.prices)
        self.writer.close()


def append(paths: RunPaths, lines: list[bytes]) -> None:
    with paths.journal.open("ab") as file:
        file.writelines(lines)


def test_a_later_price_list_changes_nothing_of_a_run_longer_than_the_memory(paths: RunPaths) -> None:
    recorder = Recorder(paths)
    for first in range(0, 400, 5):
        append(paths, calls(first, first + 5))
        recorder.read()
    then = recorder.fold.metrics(NOW)
    recorder.end()
    lines = paths.journal.read_bytes().splitlines(keepends=True)
    now = fold_lines(lines, price=tomorrow, settings=REMEMBERED).metrics(NOW)
    assert now.run.cost_usd == then.run.cost_usd
    assert now.run.unpriced_models == then.run.unpriced_models == ["house"]
    assert now.run.llm_calls == 400
    refs = [line.split(b'"ref":')[1].split(b",")[0] for line in lines if line.startswith(b'{"type":"llm.priced"')]
    assert len(refs) == len(set(refs)), "each price is written once"


def test_a_second_recorder_writes_no_price_again(paths: RunPaths) -> None:
    first = Recorder(paths)
    for start in range(0, 100, 5):
        append(paths, calls(start, start + 5))
        first.read()
    written = paths.journal.read_bytes().count(b'"llm.priced"')
    assert written > 0
    second = Recorder(paths)
    second.read()
    assert paths.journal.read_bytes().count(b'"llm.priced"') == written
    append(paths, calls(100, 160))
    second.read()
    assert paths.journal.read_bytes().count(b'"llm.priced"') > written


def test_prices_of_a_short_run_wait_for_its_end(paths: RunPaths) -> None:
    recorder = Recorder(paths)
    append(paths, calls(0, 20))
    recorder.read()
    assert b"llm.priced" not in paths.journal.read_bytes()
