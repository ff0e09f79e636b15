"""The hint of which step is at hand, as its teller writes it and as readers meet it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runwatch.journal.step_at_hand import NAME, StepReader, StepTeller, reader_of


def test_a_reader_sees_what_was_told_last(tmp_path: Path) -> None:
    teller = StepTeller(tmp_path)
    reader = StepReader(tmp_path)
    assert reader.read(7) is None, "between steps"
    for step in (1, 999_999, 2):
        teller.tell(step)
        assert reader.read(None) == step
    teller.tell(None)
    assert reader.read(3) is None
    teller.close()
    assert not (tmp_path / NAME).exists()
    assert reader.read(4) is None, "what was said last, by the file that it holds open"


@pytest.mark.parametrize("content", [b"", b"step ", b"20261121100000..", b"step 00000x0001\n", b"step 0000000001"])
def test_what_is_no_hint_changes_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert StepReader(tmp_path).read(5) == 5


def test_a_descriptor_that_the_program_closed_is_opened_again(tmp_path: Path) -> None:
    teller = StepTeller(tmp_path)
    reader = StepReader(tmp_path)
    teller.tell(2)
    os.close(reader._fd)
    assert reader.read(1) == 2


def test_without_the_file_or_through_a_link_there_is_no_reader(tmp_path: Path) -> None:
    assert reader_of(tmp_path) is None
    (tmp_path / "elsewhere").write_bytes(b"step 0000000001\n")
    (tmp_path / NAME).symlink_to("elsewhere")
    assert reader_of(tmp_path) is None
    StepTeller(tmp_path).tell(3)
    assert (tmp_path / "elsewhere").read_bytes() == b"step 0000000001\n"


def test_the_step_is_not_told_into_a_file_of_the_programs(tmp_path: Path) -> None:
    teller = StepTeller(tmp_path)
    number = teller._fd
    assert number is not None
    with open(tmp_path / "users", "wb") as mine:
        os.dup2(mine.fileno(), number)
        teller.tell(7)
        assert StepReader(tmp_path).read(None) == 7
        os.write(number, b"theirs")
        os.dup2(number, teller._fd or -1)
        teller.close()
        os.write(number, b" still")
        os.close(number)
    assert (tmp_path / "users").read_bytes() == b"theirs still"


def test_a_reader_whose_descriptor_the_program_took_over_asks_by_name(tmp_path: Path) -> None:
    teller, reader = StepTeller(tmp_path), StepReader(tmp_path)
    number = reader._fd
    with open(tmp_path / "users", "wb+") as mine:
        os.dup2(mine.fileno(), number)
        teller.tell(8)
        assert reader.read(3) == 8
        assert reader._fd != number
        os.close(number)
    os.close(reader._fd)
    teller.close()
    assert reader.read(4) == 4, "there is nobody to ask any more"
