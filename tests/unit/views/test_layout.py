"""Tests of runwatch.views.layout."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runwatch.units import display_width
from runwatch.views import layout

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(ANY_TEXT, st.integers(1, 5))
def test_wrapped_text_fits_eighty_columns_and_the_lines_allowed(text: str, most_lines: int) -> None:
    lines = layout.field("Label", text, most_lines=most_lines)
    assert 1 <= len(lines) <= most_lines
    assert all(display_width(line) <= layout.WIDTH for line in lines)


@given(st.lists(st.text("abc", min_size=1, max_size=20), max_size=12))
def test_wrapping_loses_no_word_that_has_room(words: list[str]) -> None:
    lines = layout.wrap(" ".join(words), first="  ", rest="    ", most_lines=20)
    assert " ".join(lines).split() == words


def test_a_field_wraps_beneath_its_value_and_cuts_what_is_left_in_the_middle() -> None:
    lines = layout.field("Reason", "word " * 100, most_lines=2)
    assert lines[0] == "Reason:     " + ("word " * 13).strip()
    assert lines[1].startswith(" " * 12 + "word")
    assert "…" in lines[1]


def test_a_section_with_nothing_to_say_says_nothing() -> None:
    assert layout.section("EMPTY", []) == []
    assert layout.section("TITLE", ["one"]) == ["=" * 80, "TITLE", "=" * 80, "one", ""]


def test_one_line_folds_white_space_and_shows_controls() -> None:
    assert layout.one_line("a\r\n\tb  c\x1b[31m") == "a b c␛[31m"
    assert len(layout.one_line("x" * 1_000_000)) < 5000


def test_long_lists_keep_their_ends() -> None:
    assert layout.ends([1, 2, 3], 3) == ([1, 2, 3], 0, ())
    assert layout.ends([1, 2, 3, 4, 5, 6], 3) == ([1, 2], 3, [6])
    assert layout.ends(range(5000), 4) == (range(2), 4996, range(4998, 5000))


def test_a_table_aligns_its_columns_and_says_what_it_left_out() -> None:
    lines = layout.table(("tool", "calls"), [("read", 1), ("write_file", 12), ("x", 3)], _cells, most=2, what="tools")
    assert lines == ["tool  calls", "read      1", "... 1 tools left out ...", "x         3"]


def _cells(item: tuple[str, int]) -> list[str]:
    return [item[0], str(item[1])]


def test_a_table_gives_the_first_column_what_the_others_leave() -> None:
    lines = layout.table(("tool", "calls"), [("n" * 200, 10**60)], _cells, most=2, what="tools")
    assert all(display_width(line) <= layout.WIDTH for line in lines)
    assert lines[1].startswith("nnnnnnnn…nnnnnnnn"[:8])


def test_a_command_is_broken_between_words_so_that_it_can_be_pasted() -> None:
    words = ["runwatch", "run", "--", "python", "'a b'", *(f"argument-{at}" for at in range(10))]
    lines = layout.wrap_words(words, first="Repeat:     ", rest=" " * 12)
    assert all(display_width(line) <= layout.WIDTH for line in lines)
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert "".join(line.removesuffix("\\") for line in lines).split() == ["Repeat:", *" ".join(words).split()]


def test_a_command_too_long_for_its_lines_says_so() -> None:
    lines = layout.wrap_words(["argument"] * 100, first="Repeat:     ", rest=" " * 12, most_lines=3)
    assert len(lines) == 3
    assert lines[-1].strip() == "..."


def test_room_shrinks_by_halves_and_never_below_two() -> None:
    assert layout.Room().halved().steps == 8
    assert min(layout.Room().halved().halved().halved()) == 2
