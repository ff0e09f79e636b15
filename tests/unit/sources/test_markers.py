"""Which lines open and close a step."""

from __future__ import annotations

import sys
import time

import pytest

from runwatch.sources import markers
from runwatch.sources.markers import Marker, MarkerScanner
from runwatch.timed_pattern import BUDGET_S, LONGEST_S


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"::group::build all\n", Marker("open", "build all")),
        (b"::group::\x1b[31mred\x1b[0m\r\n", Marker("open", "red")),
        (b"::endgroup::\n", Marker("close")),
        (b"::error file=a.py,line=3,col=1::it broke\n", Marker("error", "it broke", "a.py:3")),
        (b"::warning::careful\n", Marker("warning", "careful")),
        (b"section_start:1560896352:my_section\r\x1b[0KHeader of it\n", Marker("open", "Header of it")),
        (b"\x1b[0Ksection_start:1560896352:my_section[collapsed=true]\r\x1b[0KHeader\n", Marker("open", "Header")),
        (b"section_end:1560896353:my_section\r\x1b[0K\n", Marker("close", "my_section")),
        (b" ::group::indented\n", None),
        (b"text ::group::x\n", None),
        (b"::groups::x\n", None),
        (b"std::vector<int>\n", None),
        (b"section_ends:12\n", None),
        (b"::group::" + b"x" * 5000 + b"\n", None),
        (b"::group::\xff\xfe\n", Marker("open", "��")),
    ],
)
def test_a_line_says_what_it_says(line: bytes, expected: Marker | None) -> None:
    assert MarkerScanner().read(line) == expected


def test_the_users_own_pattern_names_the_step() -> None:
    scanner = MarkerScanner(r"^=== (?P<name>.+) ===")
    assert scanner.read(b"=== build ===\n") == Marker("open", "build")
    assert scanner.read(b"== build ==\n") is None
    assert MarkerScanner(r"^STEP \d+").read(b"STEP 12: x\n") == Marker("open", "STEP 12")


def test_a_pattern_is_matched_on_characters_as_it_was_checked() -> None:
    scanner = MarkerScanner(r"^\u00c9tape (?P<name>[é-ü]+)$")
    assert scanner.read("Étape éü\r\n".encode()) == Marker("open", "éü")


def test_a_pattern_that_backtracks_for_ever_is_switched_off_with_one_warning() -> None:
    scanner = MarkerScanner(r"^(?P<name>(?:a|aa)+)$", "runwatch.toml, line 2")
    assert scanner.read(b"aaa\n") == Marker("open", "aaa")
    hostile = b"a" * 4000 + b"!\n"
    began = time.process_time()
    warning = scanner.read(hostile)
    assert warning == Marker(
        "warning",
        'runwatch.toml, line 2: steps.pattern "^(?P<name>(?:a|aa)+)$" takes too long on a line: repeat nothing that '
        "repeats itself; it opens no steps in this run from here on.",
        "steps",
    )
    assert [scanner.read(line) for line in (hostile, b"aaa\n", b"::group::x\n")] == [None, None, Marker("open", "x")]
    assert time.process_time() - began < 10 * LONGEST_S
    assert not scanner.suspects(bytearray(hostile), len(hostile)), "from here on output is copied as without a pattern"


def test_a_pattern_that_is_slow_on_every_line_is_switched_off_once_its_budget_is_used_up() -> None:
    scanner = MarkerScanner(r"^(?:a|aa)+$")
    lines = (b"a" * 15 + b"! %d\n" % number for number in range(100_000))
    began = time.process_time()
    assert next((marker for line in lines if (marker := scanner.read(line))), None) is not None
    assert time.process_time() - began < 10 * BUDGET_S


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"::gr", True),
        (b":", True),
        (b"sec", True),
        (b"\x1b[0Ks", True),
        (b"text", False),
        (b"", False),
        (b"sand", False),
    ],
)
def test_an_unfinished_line_is_held_only_when_it_may_become_a_marker(line: bytes, expected: bool) -> None:
    assert MarkerScanner().may_begin(line) is expected


def test_ordinary_output_is_passed_over_quickly() -> None:
    buffer = bytearray(b"line\n" * 100)
    assert not MarkerScanner().suspects(buffer, len(buffer))
    buffer[:9] = b"::group::"
    assert MarkerScanner().suspects(buffer, len(buffer))
    assert not MarkerScanner().suspects(bytearray(b"abc\n::group::"), 3)


LINE = b'{"level":"info","where":"a::b","section":"_x"}\n'
LARGE = LINE * 4000


@pytest.mark.parametrize(
    "start", [b"::group::x\n", b"section_start:1:x\r", b"\x1b[0Ksection_end:1:x\r", b":", b"\x1b[0Ks"]
)
@pytest.mark.parametrize("behind", [0, 1, 5000])
def test_a_marker_at_any_line_of_a_large_piece_is_suspected(start: bytes, behind: int) -> None:
    scanner = MarkerScanner()
    whole = start.endswith((b"\n", b"\r"))
    for before in (0, 1, 2000) if whole else (4000,):
        text = LINE * before + start + (b"\n" + LARGE if whole else b"")
        buffer = bytearray(text + b"z" * behind)
        assert scanner.suspects(buffer, len(text))
        assert buffer[: len(text)] == text


@pytest.mark.parametrize("behind", [b"", b"\n::group::x\n" + LARGE], ids=["nothing", "a marker"])
def test_a_large_piece_without_a_marker_is_passed_over_whatever_stands_behind_it(behind: bytes) -> None:
    buffer = bytearray(LARGE + b"tail" + behind)
    assert not MarkerScanner().suspects(buffer, len(LARGE) + 4)
    assert not MarkerScanner().suspects(bytearray(b"-section_\n" * 9000), 90_000)


def test_a_marker_behind_a_zero_byte_is_suspected_too() -> None:
    buffer = bytearray(b"\0" + LARGE + b"::endgroup::\n" + LARGE)
    assert MarkerScanner().suspects(buffer, len(buffer))


def test_a_large_piece_is_searched_even_where_the_c_library_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "runwatch.sources.byte_search", None)
    markers._quick_search.cache_clear()
    try:
        buffer = bytearray(LARGE + b"::group::x\n" + LARGE)
        assert MarkerScanner().suspects(buffer, len(buffer))
        assert not MarkerScanner().suspects(buffer, len(LARGE))
        assert markers._quick_search() is None
    finally:
        markers._quick_search.cache_clear()
