"""Telling what a line is: JSON, logfmt or text, with its time, level, component, message and fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.journal.log_lines import LEVELS, LogLine, last_state, level_name, parse_line

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def parts(raw: bytes, **options: float) -> tuple[float | None, str | None, str | None, str]:
    found = parse_line(raw, **options)
    return (None if found.time is None else found.time - NOON, found.level, found.component, found.message)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            b'{"ts": "2026-11-21T12:00:01.5Z", "level": "INFO", "component": "adapter", "msg": "hi"}',
            (1.5, "INFO", "adapter", "hi"),
        ),
        (
            b'{"time": "2026-11-21 13:00:00+01:00", "levelname": "WARNING", "logger": "a.b", "message": "hi"}',
            (0, "WARN", "a.b", "hi"),
        ),
        (b'{"timestamp": 1795262402, "severity": "critical", "event": "hi"}', (2, "FATAL", None, "hi")),
        (b'{"@timestamp": 1795262402500, "level": 50, "name": "x", "msg": "hi"}', (2.5, "ERROR", "x", "hi")),
        (b'{"level": "nonsense", "msg": 3}', (None, None, None, "3")),
        (b'ts=2026-11-21T12:00:01Z level=warn msg="a \\"b\\"" component=api', (1, "WARN", "api", 'a "b"')),
        (b"time=1795262403.25 lvl=dbg msg=hi", (3.25, "DEBUG", None, "hi")),
        (b"2026-11-21 12:00:01,250 INFO hello", (1.25, "INFO", None, "hello")),
        (b"2026-11-21T12:00:01Z [ERROR] hello", (1, "ERROR", None, "hello")),
        (b"[2026-11-21T12:00:01+00:00] warning: hello", (1, "WARN", None, "hello")),
        (b"2026-11-21 12:00:01,250 - my.mod - ERROR - it broke", (1.25, "ERROR", "my.mod", "it broke")),
        (b"[INFO] 2026-11-21 12:00:01 hello", (1, "INFO", None, "hello")),
        (b"ERROR: failed", (None, "ERROR", None, "failed")),
        (b"CRITICAL [main] failed", (None, "FATAL", None, "[main] failed")),
        (b"src/a.c:12:3: error: expected", (None, "ERROR", None, "src/a.c:12:3: error: expected")),
        (b"E       assert 1 == 2", (None, "ERROR", None, "E       assert 1 == 2")),
        (b"E1121 12:00:00.5 1 x.go:1] hm", (None, "ERROR", None, "E1121 12:00:00.5 1 x.go:1] hm")),
        (b"Traceback (most recent call last):", (None, None, None, "Traceback (most recent call last):")),
        (b'  File "a.py", line 3, in f', (None, None, None, '  File "a.py", line 3, in f')),
        (
            b"error handling is on; no ERROR-free zone, see /ERROR/x",
            (None, None, None, "error handling is on; no ERROR-free zone, see /ERROR/x"),
        ),
        (b"x" * 61 + b" ERROR too far right", (None, None, None, "x" * 61 + " ERROR too far right")),
        (b"a=1 b=2", (None, None, None, "a=1 b=2")),
        (b"12:30 is when we eat", (None, None, None, "12:30 is when we eat")),
        (b"{not json}", (None, None, None, "{not json}")),
        (b"[1, 2, 3]", (None, None, None, "[1, 2, 3]")),
        (b"", (None, None, None, "")),
        (b"\xff\xfe", (None, None, None, "��")),
        (b"\x1b[32mINFO\x1b[0m:     Started", (None, "INFO", None, "Started")),
        (b"\x1b[1m\x1b[31mE       assert 1\x1b[0m", (None, "ERROR", None, "E       assert 1")),
        (b"\x1b[90m2026-11-21T12:00:01Z\x1b[0m \x1b[33;1mWARN \x1b[0m a\x1b[2Jb", (1, "WARN", None, "a\x1b[2Jb")),
    ],
)
def test_a_line_is_told_by_itself(raw: bytes, expected: tuple[float | None, str | None, str | None, str]) -> None:
    assert parts(raw) == expected
    assert parts(raw + b"\r\n") == expected


def test_colors_are_left_out_of_every_part_but_the_whole_text() -> None:
    raw = b'{"level": "INFO", "msg": "\\u001b[31mred\\u001b[0m \\u001b[2J", "k\\u001B[m": "\\u001b[1mv"}'
    found = parse_line(raw)
    assert (found.message, found.fields) == ("red \x1b[2J", (("k", "v"),))
    assert found.text == raw.decode()
    assert parse_line(b"\x1b[31mred\x1b[0m").text == "\x1b[31mred\x1b[0m"


def test_a_time_of_day_needs_a_time_near_it() -> None:
    assert parts(b"23:59:59.5 INFO late", near=NOON) == (43199.5, "INFO", None, "late")
    assert parts(b"23:59:59 INFO late", near=NOON - 12 * 3600 + 60) == (-43201, "INFO", None, "late")
    assert parts(b"23:59:59 INFO late")[0] is None


def test_fields_keep_their_order_and_nested_ones_are_compact_json() -> None:
    raw = b'{"msg": "m", "z": 1, "a": {"b": [1, "x"]}, "n": null, "t": true, "s": "a b", "level": "INFO"}'
    assert parse_line(raw).fields == (("z", "1"), ("a", '{"b":[1,"x"]}'), ("n", "null"), ("t", "true"), ("s", "a b"))


def test_the_component_wins_over_the_logger_which_stays_a_field() -> None:
    found = parse_line(b'{"component": "adapter", "logger": "x.y", "msg": "m"}')
    assert (found.component, found.fields) == ("adapter", (("logger", "x.y"),))


def test_a_redrawn_line_shows_its_last_state() -> None:
    assert last_state(b" 10%\r 50%\r100%\n") == b"100%"
    assert last_state(b" 10%\r 50%\r") == b" 50%"
    assert last_state(b"plain\r\n") == b"plain"
    assert last_state(b"\r\n") == b""


def test_the_head_of_a_long_json_line_still_tells_time_level_and_message() -> None:
    raw = json.dumps({"ts": "2026-11-21T12:00:01Z", "level": "ERROR", "msg": 'a "b"', "data": "x" * 9000}).encode()
    found = parse_line(raw[:5000], whole=False)
    assert (found.time, found.level, found.message) == (NOON + 1, "ERROR", 'a "b"')
    assert parse_line(b'{"data": "' + b"x" * 500, whole=False).level is None


@pytest.mark.parametrize(
    ("given_level", "level"),
    [
        ("warning", "WARN"),
        (" Err ", "ERROR"),
        (10, "TRACE"),
        (30, "INFO"),
        (60, "FATAL"),
        (99, "FATAL"),
        (0, None),
        (True, None),
        ("", None),
        (None, None),
    ],
)
def test_levels_have_six_names(given_level: object, level: str | None) -> None:
    assert level_name(given_level) == level
    assert level is None or level in LEVELS


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    assert isinstance(parse_line(raw), LogLine)
    assert isinstance(parse_line(raw, near=NOON, whole=False), LogLine)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_makes_it_fail(value: object) -> None:
    for wrapped in (value, {"msg": value, "ts": value, "level": value, "component": value, "x": value}):
        found = parse_line(json.dumps(wrapped).encode())
        assert isinstance(found.message, str)
        assert all(isinstance(text, str) for pair in found.fields for text in pair)


def test_a_bottomless_line_is_text() -> None:
    assert parse_line(b'{"a":' * 100_000).level is None
    assert parse_line(b"[" * 100_000).message.startswith("[[")


def test_the_bookkeeping_of_our_own_lines_is_left_out_and_that_of_others_is_not() -> None:
    own = {"ts": "2026-10-20T14:26:01Z", "level": "INFO", "component": "adapter", "logger": "runwatch", "msg": "x"}
    line = parse_line(msgspec.json.encode({**own, "step": 3, "run_id": "r", "event": "llm.started", "at": 12}))
    assert line.fields == (("step", "3"),)
    theirs = parse_line(b'{"msg":"x","run_id":"r","at":12}')
    assert theirs.fields == (("run_id", "r"), ("at", "12"))
