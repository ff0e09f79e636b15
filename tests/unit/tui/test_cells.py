"""Text fitted to cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runwatch.tui.cells import Column, beside, clean, fit, heading, left, line, right, row

COLUMNS = (
    Column("", 1, "left"),
    Column("name", 6, "left", flexible=True),
    Column("count", 5, keep=8),
    Column("where", 10, "left", keep=2),
)


@given(st.text(max_size=60), st.integers(min_value=0, max_value=40))
def test_a_field_is_exactly_as_wide_as_was_asked(text: str, width: int) -> None:
    shown = clean(text)
    assert cell_len(left(shown, width)) == width
    assert cell_len(right(shown, width)) == width


def test_long_names_lose_their_middle_and_keep_it_for_the_tooltip() -> None:
    shown = row(COLUMNS, ("✓", "a_rather_long_name_of_a_test", "12", ""), 20)
    assert "…" in shown.content.plain
    assert shown.content.plain.startswith("✓  a_ra")
    assert shown.whole == "a_rather_long_name_of_a_test"
    assert row(COLUMNS, ("✓", "short", "12", ""), 40).whole is None


def test_what_is_kept_least_goes_first_when_it_is_narrow() -> None:
    assert [index for index, _ in fit(COLUMNS, 40)] == [0, 1, 2, 3]
    assert [index for index, _ in fit(COLUMNS, 20)] == [0, 1, 2]
    assert [index for index, _ in fit(COLUMNS, 9)] == [0, 1]


@given(st.integers(min_value=16, max_value=200))
def test_headings_stand_over_their_columns_at_any_width(width: int) -> None:
    titles = heading(COLUMNS, width).content.plain
    values = row(COLUMNS, ("✓", "name", "count", "where"), width).content.plain
    assert titles[1:] == values[1:]
    assert cell_len(titles) == width, "the flexible column takes what is left"


def test_text_from_outside_becomes_one_harmless_line() -> None:
    assert clean("a\tb\nc\x1b[31m") == "a b␊c␛[31m"


def test_blocks_stand_side_by_side_whatever_their_heights() -> None:
    rows = beside([line("a"), line("b")], [line("x")], 4, gap=1)
    assert [each.content.plain for each in rows] == ["a    x", "b    "]
