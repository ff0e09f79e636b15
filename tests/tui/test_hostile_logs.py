"""Logs that nobody would wish for: hostile bytes, endless lines, files that change, disks that fail."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from runwatch.journal.log_lines import parse_line
from runwatch.journal.log_source import LineKey, Row
from tui.log_app import SIZE, LogApp, Logs, driven, json_line, until, until_shown


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "run")


@driven
async def test_an_unfinished_line_is_shown_and_a_progress_bar_shows_its_last_state(logs: Logs) -> None:
    logs.add("stdout", b"start\n 10%\r 20%")
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "start", "20%")
        assert "10%" not in app.text()
        logs.add("stdout", b"\r100%\ndone")
        await until_shown(pilot, "100%", "done")
        assert "20%" not in app.text()


HOSTILE = (
    b"\x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1bP1$tdcs\x1b\\ \x9b31m \xc2\x9b31m\n"
    b"[bold red]markup[/nope] [@click=app.bell]x[/]\n"
    b"\xe2\x80\xaeevil\xe2\x80\xac \xe2\x81\xa6iso\xe2\x81\xa9 nul\x00bell\x07back\x08del\x7f\n"
    b'{"msg": "json \\u001b[31m \\u202e", "k\\u001b[0m": "v\\u0007", "level": "INFO"}\n'
    b"\xff\xfe not utf-8 \xf0\x28\x8c\x28\n"
    b"two\x0bthree\x0cfour\xc2\x85five\xe2\x80\xa8six\n"
)


@driven
async def test_nothing_in_a_log_reaches_the_terminal_as_a_control(logs: Logs) -> None:
    logs.add("stdout", HOSTILE)
    logs.add("evil-name", b"x\n")
    async with (app := LogApp(logs.source())).run_test(size=(120, 20)) as pilot:
        await until_shown(
            pilot, "␛[2Jred ␛]0;title␇", "[bold red]markup[/nope] [@click=app.bell]x[/]", "nul␀bell␇back␈del␡", "six"
        )
        for line in app.screen_lines():
            assert line.isprintable(), line
        assert "<U+202E>evil" in app.text()
        await until(pilot, lambda: app.stats is not None and app.stats.lines == 7)


@driven
async def test_the_end_of_a_long_line_of_wide_characters_can_be_reached(logs: Logs) -> None:
    logs.add("stdout", ("漢" * 100 + "\x1b[1m" + "字" * 100 + "終\n").encode())
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "漢漢")
        assert all(strip.cell_length == 100 for strip in app.view._canvas.render_lines(app.view._canvas.size.region))
        await pilot.press(*["right"] * 45)
        await until_shown(pilot, "字字終")
        await pilot.press(*["left"] * 45)
        await until_shown(pilot, "漢漢")


@driven
async def test_lines_of_megabytes_are_shown_by_their_beginning(logs: Logs) -> None:
    logs.add("stdout", b"before\n" + b"x" * 5_000_000 + b"\nafter\n")
    logs.add("adapter", b'{"ts": 1795224000, "level": "WARN", "msg": "big", "data": "' + b"y" * 2_000_000 + b'"}\n')
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "before", "after", "xxxx", "WARN  adapter big")
        assert any(line.endswith("›") for line in app.screen_lines())
        await pilot.press("right", "right")
        await until_shown(pilot, "stdout  xxxx")


@pytest.mark.parametrize("change", ["truncate", "rename", "delete", "copytruncate"])
@driven
async def test_a_file_that_changes_underneath_is_followed_and_said(logs: Logs, change: str) -> None:
    path = logs.step / "adapter.log"
    logs.add("adapter", b"".join(json_line(n, n) for n in range(50)))
    async with (app := LogApp(logs.source())).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "line 00049")
        if change == "truncate":
            path.write_bytes(json_line(777, 60))
        elif change == "rename":
            path.rename(path.with_name("adapter.log.1"))
            logs.add("adapter", json_line(777, 60))
        elif change == "delete":
            path.unlink()
            await until(pilot, lambda: any("deleted" in text for text in app.told))
            logs.add("adapter", json_line(777, 60))
        else:
            os.truncate(path, 0)
            logs.add("adapter", json_line(777, 60))
        await until_shown(pilot, "line 00777")
        assert any(word in " ".join(app.told) for word in ("truncated", "replaced", "rewritten"))
        logs.add("adapter", json_line(778, 61))
        await until_shown(pilot, "line 00778")


class SlowSource:
    """A source in which every read takes long: a network file system, say."""

    def __init__(self, *, fails: int = 0) -> None:
        self.threads: set[threading.Thread] = set()
        self.fails = fails
        self.components = ("slow",)
        self.row_count, self.line_count, self.exact, self.errors, self.generation = 3, 3, True, 0, 1

    def advance(self, budget_s: float) -> bool:
        self.threads.add(threading.current_thread())
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is on fire")
        time.sleep(0.4)
        return False

    def rows(self, start: int, count: int) -> list[Row]:
        self.threads.add(threading.current_thread())
        time.sleep(0.4)
        names = (b"one", b"two", b"three")
        return [
            Row(LineKey(0, 0, n), "slow", None, parse_line(names[n]), 5) for n in range(start, min(start + count, 3))
        ]

    def stirred(self) -> bool:
        return True

    def row_of(self, key: LineKey) -> int | None:
        return key.offset

    def notices(self) -> list[str]:
        return []


@driven
async def test_a_slow_source_never_holds_up_the_app() -> None:
    source = SlowSource()
    async with LogApp(source).run_test(size=SIZE) as pilot:
        longest, last = 0.0, time.monotonic()
        while time.monotonic() - last < 5 and "three" not in pilot.app.text():  # type: ignore[attr-defined]
            before = time.monotonic()
            await pilot.press("up")
            longest = max(longest, time.monotonic() - before)
        await until_shown(pilot, "three")
        assert longest < 0.3
        assert threading.main_thread() not in source.threads


@driven
async def test_a_source_is_not_said_to_be_empty_before_it_was_read() -> None:
    async with (app := LogApp(SlowSource())).run_test(size=SIZE) as pilot:
        seen = set()
        while "three" not in (text := app.text()):
            seen.add(text.strip())
            await pilot.pause(0.01)
        assert "Reading…" in seen
        assert seen <= {"", "Reading…"}


@driven
async def test_a_source_that_fails_is_said_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runwatch.tui.widgets.log_reader._TROUBLE_S", 0.05)
    async with (app := LogApp(SlowSource(fails=2))).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "three")
        assert any("the disk is on fire" in text for text in app.told)


ALONE = """
import sys
from pathlib import Path
from tui.log_app import LogApp
from runwatch.journal.log_files import RunLogs

logs = RunLogs(Path(sys.argv[1]))
logs.poll()
LogApp(logs.source(1)).run()
"""


def test_the_bytes_sent_to_a_terminal_hold_nothing_of_what_a_log_would_have_it_do(logs: Logs) -> None:
    logs.add("stdout", HOSTILE + b"the last line\n")
    child, screen = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=os.pathsep.join(sys.path))
        os.execv(sys.executable, [sys.executable, "-c", ALONE, str(logs.root)])
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 120, 0, 0))
    sent, deadline = b"", time.monotonic() + 30
    while b"the last line" not in sent:
        assert time.monotonic() < deadline, sent
        sent += os.read(screen, 1 << 16)
    os.kill(child, 9)
    os.waitpid(child, 0)
    os.close(screen)
    assert "␛[2J".encode() in sent
    sent = re.sub(rb"\x1b\]22;[a-z-]+\x07", b"", sent)  # Textual's own: the shape of the pointer
    obeyed = [
        b"\x1b[2J",
        b"\x1b[31m",
        b"\x1b]0;",
        b"\x1bP1$t",
        b"\x07",
        b"\x08",
        b"\x7f",
        b"\x0b",
        b"\x0c",
        b"\xc2\x9b",
        b"\xc2\x85",
    ]
    obeyed += [char.encode() for char in "\u202e\u202c\u2066\u2069\u2028"]
    assert [sequence for sequence in obeyed if sequence in sent] == []
