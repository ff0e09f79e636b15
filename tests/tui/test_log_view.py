"""Reading logs in the app: following, scrolling back, columns and colors."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from runwatch.journal.output_index import format_record
from runwatch.tui.widgets.log_messages import Stats
from runwatch.tui.widgets.log_view import LogView
from tui.log_app import SIZE, START, LogApp, Logs, driven, json_line, until, until_shown


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "run")


@driven
async def test_it_opens_at_the_end_and_follows(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(1000)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00999", "line 00980")
        assert "line 00979" not in app.text()
        logs.add("adapter", json_line(1000, 1000))
        await until_shown(pilot, "line 01000")
        assert app.view.following
        await until(pilot, lambda: app.stats == Stats(1001, 0, True, 0, of=1001))


@driven
async def test_moving_up_pins_the_line_under_the_cursor_while_lines_arrive(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(500)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00499")
        await pilot.press("up", "up", "pageup")
        assert app.follows == [False]
        await until_shown(pilot, "line 00463")
        before = app.screen_lines()
        logs.add("adapter", b"".join(json_line(n, n) for n in range(500, 900)))
        await until(pilot, lambda: app.stats is not None and app.stats.new == 400)
        assert app.screen_lines() == before
        await pilot.press("end")
        await until_shown(pilot, "line 00899")
        assert app.follows == [False, True]
        await until(pilot, lambda: app.stats is not None and app.stats.new == 0)


@driven
async def test_a_late_line_above_does_not_move_the_line_under_the_cursor(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(300)))
    logs.add("metrics", json_line(90000, 0))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00299")
        await pilot.press("pageup", "up")
        await until(pilot, lambda: app.view._canvas.cursor is not None)
        await until(pilot, lambda: app.view._canvas.holds(app.view._canvas.top - 3))
        before = app.screen_lines()
        logs.add("metrics", b"".join(json_line(90001 + n, 10 + n / 100) for n in range(50)))
        await until(pilot, lambda: app.stats is not None and app.stats.lines == 351)
        assert app.screen_lines() == before
        assert app.view._canvas.cursor is not None
        await pilot.press("home")
        await until_shown(pilot, "line 90008")


@driven
async def test_paging_down_to_the_end_follows_again(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(100)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00099")
        await pilot.press("pageup", "pageup")
        await until_shown(pilot, "line 00050")
        await pilot.press("pagedown", "pagedown", "pagedown")
        await until(pilot, lambda: app.view.following)
        await pilot.press("f")
        assert not app.view.following
        await pilot.press("down")
        assert app.view.following


@driven
async def test_first_and_last_line_and_single_steps(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(5000)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 04999")
        await pilot.press("g")
        await until_shown(pilot, "line 00000", "line 00019")
        await pilot.press(*["down"] * 25)
        await until_shown(pilot, "line 00025", "line 00006")
        assert "line 00005" not in app.text()
        await pilot.press("G")
        await until_shown(pilot, "line 04999")


@driven
async def test_the_mouse_wheel_scrolls_and_the_end_is_found_again(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(200)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00199")
        canvas = app.view._canvas
        for _ in range(3):
            canvas._on_mouse_scroll_up(_wheel(canvas, up=True))
            await pilot.pause()
        await until(pilot, lambda: not app.view.following and "line 00199" not in app.text())
        for _ in range(6):
            canvas._on_mouse_scroll_down(_wheel(canvas, up=False))
            await pilot.pause()
        await until(pilot, lambda: app.view.following)


def _wheel(widget: Any, *, up: bool) -> Any:
    from textual import events

    kind = events.MouseScrollUp if up else events.MouseScrollDown
    return kind(widget, 5, 5, 0, 0, 0, False, False, False, 5, 5, None)


@driven
async def test_a_click_puts_the_cursor_on_a_line(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(200)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00199")
        await pilot.click(LogView, offset=(10, 4))
        await until(pilot, lambda: not app.view.following)
        row = app.view._canvas.row_at(app.view._canvas.top + 4)
        assert row is not None
        assert app.view._canvas.cursor == row.key


@driven
async def test_only_level_and_warnings_are_colored_and_keys_are_dim(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1, model="gpt-4o") + json_line(2, 2, "WARNING") + json_line(3, 3, "ERROR"))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001  model=gpt-4o", "WARN", "ERROR")
        triplet = {name: app.style_of(name).color.triplet for name in ("INFO", "line 00001", "line 00002", "model=")}  # type: ignore[union-attr]
        assert triplet["INFO"] == app.color("rw-level-info")
        assert triplet["line 00001"] == app.color("foreground") or triplet["line 00001"] == app.color("text")
        assert triplet["line 00002"] == app.color("rw-level-warn")
        assert triplet["model="] == app.color("rw-dim")
        assert app.style_of("line 00003").color.triplet == app.color("rw-level-error")  # type: ignore[union-attr]


@driven
async def test_merged_lines_stand_in_columns_in_the_order_of_time(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1.25) + json_line(3, 3))
    logs.add("validator", json_line(2, 2, "ERROR"))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00003")
        assert [line for line in app.screen_lines() if line] == [
            "01:20:01.250 INFO  adapter   line 00001",
            "01:20:02.000 ERROR validator line 00002",
            "01:20:03.000 INFO  adapter   line 00003",
        ]


@driven
async def test_the_date_shows_only_where_it_changes(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 0) + json_line(2, 86400) + json_line(3, 86401))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00003")
        assert [line[:12] for line in app.screen_lines() if line] == ["01:20:00.000", "Nov 22 01:20", "01:20:01.000"]


@driven
async def test_plain_output_shows_when_it_arrived(logs: Logs) -> None:
    (logs.root / "logs" / "output.idx").write_bytes(format_record(START + 5.5, "step_001/stdout.log", 0))
    logs.add("stdout", b"collected 3 items\n")
    async with LogApp(logs.source()).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "01:20:05.500 collected 3 items")


@driven
async def test_scrolling_sideways_moves_the_messages_and_leaves_the_columns(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1, text="abc" * 60 + "END"))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001")
        await pilot.press(*["right"] * 18)
        await until_shown(pilot, "END")
        assert app.screen_lines()[0].startswith("01:20:01.000 INFO  ")
        await pilot.press(*["left"] * 20)
        await until_shown(pilot, "line 00001")


@driven
async def test_new_components_join_the_merged_view_by_themselves(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1))
    async with LogApp(logs.source()).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001")
        logs.add("validator", json_line(2, 2))
        logs.logs.poll()
        await until_shown(pilot, "line 00002", "validator")


@driven
async def test_an_empty_view_says_what_would_fill_it(logs: Logs) -> None:
    logs.add("adapter", b"")
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "Nothing here yet.")
        assert app.screen_lines()[9].strip() == "Nothing here yet."
        app.view.show(None, empty="[No] step chosen.")
        await until_shown(pilot, "[No] step chosen.")


@driven
async def test_a_frame_of_the_source_before_is_not_drawn_any_more(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(100)))
    async with (app := LogApp(logs.source("adapter"))).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00099")
        late = app.view._frame
        app.view.show(None, empty="Nothing to show.")
        app.view._frame = late
        app.view.on_log_view__frame_ready()
        await pilot.pause()
        assert [line.strip() for line in app.screen_lines() if line] == ["Nothing to show."]


@driven
async def test_another_source_is_shown_from_its_end(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(100)))
    logs.add("metrics", json_line(500, 1))
    async with (app := LogApp(logs.source("adapter"))).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00099")
        await pilot.press("home")
        app.view.show(logs.source("metrics"))
        await until_shown(pilot, "line 00500")
        assert "line 00099" not in app.text()
        assert app.view.following


@driven
async def test_the_reader_ends_with_the_view(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1))
    async with LogApp(logs.source()).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001")
        readers = [thread for thread in threading.enumerate() if thread.name == "log reader"]
        assert readers
    for reader in readers:
        reader.join(5)
        assert not reader.is_alive()


@driven
async def test_keys_pressed_faster_than_rows_are_read_all_count(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(2000)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 01999")
        for _ in range(20):
            app.view.action_page(-1)
        await until_shown(pilot, "line 01600", "line 01619")
        for _ in range(60):
            app.view.action_move(-1)
        await until_shown(pilot, "line 01559", "line 01578")
        for _ in range(1000):
            app.view.action_move(1)
        await until(pilot, lambda: app.view.following)


@driven
async def test_the_line_under_the_cursor_stays_however_it_came_there(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(2000)))
    logs.add("metrics", json_line(90000, 0))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 01999")
        for _ in range(20):
            app.view.action_page(-1)
        await until_shown(pilot, "line 01600", "line 01619")
        before = app.screen_lines()
        logs.add("metrics", b"".join(json_line(90001 + n, 1800 + n / 100) for n in range(50)))
        await until(pilot, lambda: app.stats is not None and app.stats.lines == 2051)
        logs.add("metrics", b"".join(json_line(90101 + n, 1900 + n / 100) for n in range(50)))
        await until(pilot, lambda: app.stats is not None and app.stats.lines == 2101)
        assert app.screen_lines() == before


@driven
async def test_rows_that_are_not_read_yet_are_counted_from_a_line_that_is(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(2000)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 01999")
        standing, canvas = app.view._standing, app.view._canvas
        standing.go_to(1700)
        want = standing.want()
        assert want.anchor is not None
        assert canvas.row_at(canvas.top) is not None
        assert want.top == 1700 - canvas.top
        standing.go_to(5)
        assert (standing.want().anchor, standing.want().top) == (None, 5)


@driven
async def test_the_scroll_bar_is_drawn_and_can_be_dragged(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(2000)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 01999")
        canvas = app.view._canvas
        assert canvas._thumb() == range(19, 20)
        await pilot.mouse_down(canvas, offset=(99, 19))
        await pilot.hover(canvas, offset=(99, 0))
        await pilot.mouse_up(canvas, offset=(99, 0))
        await until_shown(pilot, "line 00000")
        await pilot.click(canvas, offset=(99, 15))
        await until_shown(pilot, "line 00020", "line 00039")


@driven
async def test_the_line_under_the_cursor_is_copied_as_it_stands_in_the_log(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1) + json_line(2, 2))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00002")
        await pilot.press("up", "y")
        assert app.clipboard == json_line(1, 1).decode().rstrip()
