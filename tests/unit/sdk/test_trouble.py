"""Troubles of runwatch's own: said once, counted, never raised."""

from __future__ import annotations

import io
import json
import sys

import pytest

from runwatch.sdk.trouble import Troubles, say


def test_a_kind_is_told_once_and_counted() -> None:
    lines: list[bytes] = []
    troubles = Troubles(lines.append)
    assert troubles.report("disk", "the disk is full.")
    assert not troubles.report("disk", "the disk is full again.")
    assert troubles.counts == {"disk": 2}
    (line,) = map(json.loads, lines)
    assert (line["level"], line["logger"], line["msg"]) == ("WARNING", "runwatch", "the disk is full.")


def test_kinds_without_end_are_not_kept() -> None:
    troubles = Troubles(lambda line: None)
    for number in range(1000):
        troubles.report(f"kind {number}", "x")
    assert len(troubles.counts) == 100


def test_a_log_that_cannot_be_written_is_no_second_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(line: bytes) -> None:
        raise OSError(28, "No space left on device")

    assert Troubles(fail).report("disk", "the disk is full.")
    assert capsys.readouterr().err == "runwatch: the disk is full.\n"


def test_any_stderr_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    for stderr in (None, closed, object()):
        monkeypatch.setattr(sys, "stderr", stderr)
        say("nobody hears it")
