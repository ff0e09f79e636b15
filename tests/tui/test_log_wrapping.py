"""Long lines on several lines of the view, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.log_app import SIZE, LogApp, Logs, driven, json_line, until, until_shown


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "run")


def long(count: int) -> bytes:
    """Make lines of which every third takes several."""
    return b"".join(
        json_line(n, n, data="".join(f"{n:05d}:{part:02d} " for part in range(30)) if n % 3 == 0 else "short")
        for n in range(count)
    )


@driven
async def test_w_shows_the_whole_of_long_lines_and_again_cuts_them(logs: Logs) -> None:
    logs.add("adapter", long(100))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00099", "00099:03")
        assert "00099:29" not in app.text()
        await pilot.press("w")
        await until_shown(pilot, "line 00099", "00099:00", "00099:29", "00096:29")
        rows = app.screen_lines()
        assert all(len(row) <= SIZE[0] for row in rows)
        assert rows[-1].startswith(" " * 19)
        logs.add("adapter", json_line(2000, 2000, data="x" * 300))
        await until(pilot, lambda: app.text().count("x") == 300, "the new line is not shown whole")
        await pilot.press("w")
        await until(pilot, lambda: "00099:29" not in app.text() and "line 02000" in app.text())


@driven
async def test_pages_of_wrapped_lines_leave_none_out_both_ways(logs: Logs) -> None:
    logs.add("adapter", long(60))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00059")
        await pilot.press("w", "home")
        await until_shown(pilot, "line 00000")
        for key, there in (("pagedown", "line 00059"), ("pageup", "line 00000")):
            seen, last = set[str](), ""
            while True:
                text = app.text()
                seen |= {f"line {n:05d}" for n in range(60) if f"line {n:05d}" in text}
                seen |= {f"{n:05d}:29" for n in range(0, 60, 3) if f"{n:05d}:29" in text}
                if there in text:
                    break
                assert text != last
                last = text
                await pilot.press(key)
                await until(pilot, lambda last=last: app.text() != last)  # type: ignore[misc]
            assert len(seen) == 80
        assert not app.view.following


@driven
async def test_the_cursor_and_the_mouse_find_the_rows_of_wrapped_lines(logs: Logs) -> None:
    logs.add("adapter", long(60))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00059")
        await pilot.press("w", "home")
        await until_shown(pilot, "line 00000")
        rows = app.screen_lines()
        y = next(number for number, row in enumerate(rows) if "00003:20" in row)
        await pilot.click("LogCanvas", offset=(30, y))
        await until(pilot, lambda: "line 00003" in _at_hand(app))
        for _ in range(12):
            await pilot.press("down")
        await until(pilot, lambda: "line 00015" in _at_hand(app))
        await until_shown(pilot, "line 00015", "00015:29")
        await pilot.press("slash", *"00000:2", "enter")
        await until_shown(pilot, "line 00000", "00000:29")


@driven
async def test_the_wheel_goes_through_wrapped_lines_and_at_the_end_follows_again(logs: Logs) -> None:
    logs.add("adapter", long(60))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00059")
        await pilot.press("w")
        await until_shown(pilot, "00057:29")
        canvas = app.view._canvas
        while canvas.shown[0]:
            before = canvas.shown[0]
            canvas.post_message(canvas.Scrolled(-3))
            await until(pilot, lambda before=before: canvas.shown[0] < before)  # type: ignore[misc]
            assert before - canvas.shown[0] <= 3
        assert not app.view.following
        while not app.view.following:
            last = canvas.shown
            canvas.post_message(canvas.Scrolled(3))
            await until(pilot, lambda last=last: app.view.following or canvas.shown > last)  # type: ignore[misc]
            assert canvas.shown[0] <= last[1]
        await until_shown(pilot, "line 00059")


def _at_hand(app: LogApp) -> str:
    row = app.view._canvas.row_at(app.view._standing.row)
    return row.line.text if row else ""


@driven
async def test_a_line_without_end_takes_one_screen_and_says_that_it_goes_on(logs: Logs) -> None:
    logs.add("stdout", b"before\n" + b"x" * 200_000 + "字".encode() * 5000 + b"\nafter\n")
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "after")
        await pilot.press("w")
        await until(pilot, lambda: app.text().count("x") > 1000)
        await pilot.press("home")
        await until_shown(pilot, "before")
        await pilot.press("pagedown")
        await until(pilot, lambda: app.screen_lines()[-1].endswith("›"))
        await pilot.press("pagedown")
        await until_shown(pilot, "after")


@driven
async def test_wide_characters_are_wrapped_whole_and_hits_are_marked(logs: Logs) -> None:
    logs.add("stdout", ("漢" * 120 + "終\n").encode())
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "漢漢")
        await pilot.press("w")
        await until_shown(pilot, "終")
        assert app.text().count("漢") == 120
        await pilot.press("slash", "終")
        await until(pilot, lambda: app.style_of("終").bgcolor is not None)
