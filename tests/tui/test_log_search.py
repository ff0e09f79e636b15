"""Searching a log: hits counted, marked, and walked through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.log_app import SIZE, LogApp, Logs, driven, json_line, until, until_shown


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "run")


@driven
async def test_search_counts_marks_and_leads_from_hit_to_hit(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n, word="needle" if n % 100 == 7 else "hay") for n in range(1000)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00999")
        await pilot.press("slash", *"Needle"[1:])
        await until(pilot, lambda: "10 lines" in _bar(app))
        await pilot.press("enter")
        await until_shown(pilot, "line 00907")
        assert app.style_of("eedle").bgcolor.triplet == app.color("rw-hit")  # type: ignore[union-attr]
        await pilot.press("N")
        await until_shown(pilot, "line 00807")
        await pilot.press("n")
        await until_shown(pilot, "line 00907")
        await pilot.press("n")
        await until_shown(pilot, "line 00007")
        assert any("other end" in text for text in app.told)
        logs.add("adapter", json_line(2000, 2000, word="needle"))
        await until(pilot, lambda: "11 lines" in _bar(app))
        await pilot.press("escape")
        await until(pilot, lambda: not app.query("LogSearchBar"))
        assert app.style_of("needle").bgcolor.triplet != app.color("rw-hit")  # type: ignore[union-attr]


@driven
async def test_a_pair_is_found_as_it_is_drawn_and_case_counts_when_typed(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1, model="gpt-4o") + json_line(2, 2, model="GPT-5"))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "model=gpt-4o")
        await pilot.press("slash", *"model", "equals_sign", "g")
        await until(pilot, lambda: "2 lines" in _bar(app))
        await pilot.press("backspace", "G")
        await until(pilot, lambda: "1 line " in _bar(app))


@driven
async def test_colored_output_reads_as_text_and_is_searched_as_it_reads(logs: Logs) -> None:
    logs.add(
        "stdout",
        b"\x1b[32mtests/test_a.py\x1b[0m \x1b[32m.\x1b[0m\x1b[31mF\x1b[0m\n"
        b"\x1b[1m\x1b[31mE       assert \x1b[94m1\x1b[39;49;00m == \x1b[94m2\x1b[39;49;00m\x1b[0m\n"
        b"\x1b[K\x1b[1;31mnot a color alone\x1b[m\n",
    )
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "tests/test_a.py .F", "E       assert 1 == 2", "␛[Knot a color alone")
        assert app.style_of("assert 1 == 2").color.triplet == app.color("rw-level-error")  # type: ignore[union-attr]
        await until(pilot, lambda: app.stats is not None and app.stats.errors == 1)
        await pilot.press("slash", *"assert", "space", *"1")
        await until(pilot, lambda: "1 line " in _bar(app))
        await pilot.press("enter")
        await until(pilot, lambda: not app.view.following)
        assert app.style_of("assert 1").bgcolor.triplet == app.color("rw-hit")  # type: ignore[union-attr]
        await pilot.press("y")
        assert app.clipboard.startswith("\x1b[1m\x1b[31mE       assert")


@driven
async def test_a_regular_expression_is_searched_and_a_bad_one_is_said(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(100)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00099")
        await pilot.press("slash", "ctrl+r", *"000[13]5")
        await until(pilot, lambda: "2 lines" in _bar(app))
        await pilot.press("left_parenthesis")
        await until(pilot, lambda: "no regular expression" in _bar(app))


@driven
async def test_a_search_without_a_hit_says_so(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001")
        await pilot.press("slash", *"absent", "enter")
        await until(pilot, lambda: any("No line matches" in text for text in app.told))


def _bar(app: LogApp) -> str:
    return str(app.query_one("LogSearchBar #hits").render())


@driven
async def test_a_hit_beyond_the_edge_is_brought_into_sight(logs: Logs) -> None:
    far = b"x" * 300 + b" needle " + b"y" * 5000
    logs.add("stdout", b"first needle\n" + far + b"\n" + b"".join(b"line %d\n" % n for n in range(500)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 499")
        await pilot.press("slash", *"needle", "enter")
        await until_shown(pilot, "x needle y")
        left = app.view._canvas.left
        await pilot.press("N")
        await until_shown(pilot, "first needle")
        await pilot.press("n")
        await until_shown(pilot, "x needle y")
        assert app.view._canvas.left == left
        await pilot.press("home", "left")
        assert app.view._canvas.left < left


@driven
async def test_what_is_typed_stays_beside_a_long_complaint(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1))
    async with (app := LogApp(logs.source())).run_test(size=(60, 20)) as pilot:
        await until_shown(pilot, "line 00001")
        await pilot.press("slash", "ctrl+r", "left_parenthesis", "left_square_bracket")
        await until(pilot, lambda: "no regular expression" in _bar(app))
        await until(pilot, lambda: app.query_one("LogSearchBar Input").size.width >= 16)
