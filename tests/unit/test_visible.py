"""Tests of runwatch.visible."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.visible import visible, visible_bytes, without_color_bytes, without_colors


@pytest.mark.parametrize("text", ["", "plain\ttext", "Grüße, 日本語, 🏳️‍🌈", "no-break\xa0space", "{json: [1]}"])
def test_clean_text_comes_back_as_it_is(text: str) -> None:
    assert visible(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x1bP1$r\x1b\\", "␛P1$r␛\\"),
        ("50%\r100%\r\n", "50%␍100%␍␊"),
        ("nul\x00del\x7f", "nul␀del␡"),
        ("é\x9b31m", "é<U+009B>31m"),
        ("a\u202eb\u2066c\u200f", "a<U+202E>b<U+2066>c<U+200F>"),
        ("a\u2028b\u2029", "a<U+2028>b<U+2029>"),
        ("\udc80é", "\ufffdé"),
        ("\x1b é\xa0", "␛ é\xa0"),
    ],
)
def test_what_would_be_obeyed_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_that_a_terminal_obeys_is_left_and_nothing_else_changes(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown if char != "\t")
    directions = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert directions.isdisjoint(unicodedata.bidirectional(char) for char in shown)
    assert visible(shown) == shown
    shown.encode()  # a lone surrogate would raise


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m \x1b[mnone", "red none"),
        ("\x1b[38;2;10;20;30;1mdeep\x1b[4:3;58:2::1:2:3mcurly", "deepcurly"),
        ("\x1b[2J\x1b[H\x1b[K\x1b[?25l", "\x1b[2J\x1b[H\x1b[K\x1b[?25l"),
        ("\x1b[>4;1m \x1b[31 m \x1b[3\x071m \x1b]0;1m", "\x1b[>4;1m \x1b[31 m \x1b[3\x071m \x1b]0;1m"),
        ("[31m is text", "[31m is text"),
    ],
)
def test_color_sequences_are_left_out_and_nothing_else_is(text: str, plain: str) -> None:
    assert without_colors(text) == plain
    assert without_color_bytes(text.encode()) == plain.encode()


def test_bytes_that_are_no_utf_8_are_shown_as_such() -> None:
    assert visible_bytes(b"ok \xff\x1b") == "ok \ufffd␛"
