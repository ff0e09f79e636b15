"""What a person asks a log for: a level, the next error, a time, a whole record, a file of what is shown."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from runwatch.tui.screens.record import RecordScreen
from runwatch.tui.widgets import log_saving
from tui.driving import drive, make_run, watching
from tui.log_app import SIZE, START, LogApp, Logs, driven, json_line, until, until_shown


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "run")


def mixed(count: int) -> bytes:
    """Make lines of which every tenth warns and every fiftieth fails, with a traceback below."""
    lines = b""
    for n in range(count):
        level = "ERROR" if n % 50 == 7 else "WARNING" if n % 10 == 3 else "INFO" if n % 2 else "DEBUG"
        lines += json_line(n, n, level) + (f"  at trace {n:05d}\n".encode() if level == "ERROR" else b"")
    return lines


@driven
async def test_l_goes_through_the_levels_and_says_how_many_lines_are_shown_of_how_many(logs: Logs) -> None:
    logs.add("adapter", mixed(1000))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00999", "line 00998")
        for level, lines in (("INFO", 520), ("WARN", 140), ("ERROR", 40)):
            await pilot.press("l")
            await until(pilot, lambda level=level: app.stats is not None and app.stats.level == level)  # type: ignore[misc]
            await until(pilot, lambda lines=lines: app.stats.exact and app.stats.lines == lines)  # type: ignore[misc,union-attr]
            assert app.stats is not None
            assert app.stats.of == 1020
        await until_shown(pilot, "line 00957", "at trace 00957", "line 00907")
        assert "line 00999" not in app.text()
        logs.add("adapter", json_line(2000, 2000, "ERROR") + json_line(2001, 2001))
        await until_shown(pilot, "line 02000")
        assert "line 02001" not in app.text()
        await pilot.press("l")
        await until_shown(pilot, "line 02001", "line 00999")


@driven
async def test_the_line_at_hand_stays_at_hand_when_the_level_changes(logs: Logs) -> None:
    logs.add("adapter", mixed(3000))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 02999")
        await pilot.press("home", *["pagedown"] * 8)
        await until_shown(pilot, "line 00163")
        while "line 00163" not in _at_hand(app):
            await pilot.press("down")
            await pilot.pause()
        await pilot.press("l", "l")
        await until(pilot, lambda: "line 00163" in _at_hand(app))
        await until_shown(pilot, "line 00173", "line 00157")
        assert "line 00164" not in app.text()
        assert not app.view.following
        await pilot.press("l", "l")
        await until(pilot, lambda: "line 00157" in _at_hand(app) or "at trace 00157" in _at_hand(app))


def _at_hand(app: LogApp) -> str:
    row = app.view._canvas.row_at(app.view._standing.row)
    return row.line.text if row else ""


@driven
async def test_a_level_of_which_there_is_no_line_is_said(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001")
        await pilot.press("l", "l")
        await until_shown(pilot, "No line of level warn or above")
        assert app.stats is not None


@driven
async def test_e_leads_from_error_to_error_and_back_without_a_search(logs: Logs) -> None:
    logs.add("adapter", mixed(1000))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00999")
        for key, line in (("e", "line 00957"), ("E", "line 00907"), ("E", "line 00857"), ("e", "line 00907")):
            await pilot.press(key)
            await until(pilot, lambda line=line: line in _at_hand(app), line)  # type: ignore[misc]
        assert not app.query("LogSearchBar")


@driven
async def test_without_an_error_line_e_says_so(logs: Logs) -> None:
    logs.add("adapter", json_line(1, 1))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00001")
        await pilot.press("e")
        await until(pilot, lambda: any("No line of level error" in text for text in app.told))


@driven
async def test_a_time_is_gone_to_and_what_is_no_time_is_said(logs: Logs) -> None:
    logs.add("adapter", b"".join(json_line(n, n) for n in range(5000)))  # 01:20:00 to 02:43:19
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 04999")
        await pilot.press("T", *"noon", "enter")
        await until(pilot, lambda: "is no time" in str(app.query_one("LogTimeBar #hits").render()))
        await pilot.press(*["backspace"] * 4, *"01:30", "enter")
        await until(pilot, lambda: "line 00600" in _at_hand(app))
        await until(pilot, lambda: not app.query("LogTimeBar"))
        await pilot.press("T", *"10m", "enter")
        await until(pilot, lambda: "line 04399" in _at_hand(app) or "line 04400" in _at_hand(app))


@driven
async def test_a_redrawn_line_bears_a_sign(logs: Logs) -> None:
    logs.add("stdout", b"10%\r20%\r100% done\nplain\r\n")
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "↻ 100% done")
        assert "↻ plain" not in app.text()


def test_enter_opens_the_whole_record_and_escape_closes_it(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    record = {
        "ts": START, "level": "ERROR", "msg": "failed \x1b]0;title\x07 [/bold]",
        "request": {"path": "/orders", "tries": [1, 2]},
        "exc": "Traceback:\n  line 3\nBoom \u202e", "long": "z" * 300,
    }  # fmt: skip
    (run_dir / "logs/step_003/adapter.log").write_text(json.dumps(record) + "\n")

    async def task() -> None:
        async with watching(run_dir) as app:
            await app.sees("failed")
            await app.press("home", "enter")
            await app.until(lambda: isinstance(app.app.screen, RecordScreen))
            for text in (
                "request:",
                "path: /orders",
                "[1]: 2",
                "exc:",
                "  line 3",
                "Boom <U+202E>",
                "␛]0;title␇ [/bold]",
            ):
                await app.sees(text)
            assert app.text().count("z" * 60) >= 2
            assert "\x1b" not in app.text()
            await app.press("y", "escape")
            await app.until(lambda: not isinstance(app.app.screen, RecordScreen))
            assert json.loads(app.app.clipboard) == record

    drive(task())


def test_the_whole_record_of_a_traceback_is_all_its_lines(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    trace = "".join(f"  line {number}\n" for number in range(30))
    text = f"2026-11-21T10:00:00Z ERROR it broke\nTraceback:\n{trace}2026-11-21T10:00:01Z INFO next\n"
    for name in ("adapter", "orchestrator", "stdout"):
        (run_dir / f"logs/step_003/{name}.log").write_text(text if name == "adapter" else "")

    async def task() -> None:
        async with watching(run_dir) as app:
            await app.until(lambda: re.search("adapter +next", app.text()))
            await app.press("up", "up", "up", "enter")
            await app.sees("esc closes")
            await app.sees("ERROR it broke")
            await app.sees("line 25")
            assert not re.search("adapter +next", app.text())

    drive(task())


def test_what_is_shown_is_saved_as_text_for_nobody_else_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = make_run(tmp_path)
    (run_dir / "logs/step_003/adapter.log").write_bytes(mixed(2000))
    monkeypatch.setattr(log_saving, "_folder", lambda: tmp_path)

    async def task() -> None:
        async with watching(run_dir) as app:
            await app.sees("line 01999")
            await app.press("c", "c", "l", "l", "l", "ctrl+s")
            await app.sees("Saved as")
            await app.press("ctrl+s")
            await app.until(lambda: len(list(tmp_path.glob("*.log"))) == 2)

    drive(task())
    first, second = sorted(tmp_path.glob("*.log"), key=lambda path: len(path.name))
    assert first.name == "runwatch-adapter-of-step-003-error.log"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    lines = first.read_text().splitlines()
    assert len(lines) == 80
    assert lines[0].startswith("2026-11-21T01:20:07.000Z ERROR adapter")
    assert lines[1].endswith("  at trace 00007")
    assert second.name == "runwatch-adapter-of-step-003-error-2.log"
