"""What a run remembers of secrets: digests, from several writers, each once, in a file of its owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runwatch.journal.known_secrets import MOST_BYTES, remember, remembered, tell_own
from runwatch.journal.paths import RunPaths
from runwatch.redact import Redactor

FIRST, SECOND = "first-hidden-1", "second-hidden-2"


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return RunPaths(tmp_path)


def test_what_several_remember_is_known_to_all_and_held_by_none(paths: RunPaths) -> None:
    before = os.umask(0)
    try:
        assert remember(paths, {FIRST: "A_TOKEN"})
    finally:
        os.umask(before)
    assert remember(paths, {FIRST: "A_TOKEN", SECOND: "B_TOKEN"})
    assert not remember(paths, {SECOND: "B_TOKEN"})
    (digests,) = remembered(paths)
    assert [each.name for each in digests.values] == ["A_TOKEN", "B_TOKEN"]
    shown = Redactor({}, digests=remembered(paths)).text(f"{FIRST} and {SECOND}")
    assert shown == "[redacted:env:A_TOKEN] and [redacted:env:B_TOKEN]"
    assert paths.secrets.stat().st_mode & 0o777 == 0o600
    held = paths.secrets.read_bytes()
    assert FIRST.encode() not in held
    assert SECOND.encode() not in held


def test_a_torn_line_costs_nothing_but_itself(paths: RunPaths) -> None:
    remember(paths, {FIRST: "A_TOKEN"})
    with paths.secrets.open("ab") as file:
        file.write(b'{"salt":"zz","values":[]}\n{"salt":"00","values":[{"name"')
    remember(paths, {SECOND: "B_TOKEN"})
    shown = Redactor({}, digests=remembered(paths)).text(f"{FIRST} {SECOND}")
    assert shown == "[redacted:env:A_TOKEN] [redacted:env:B_TOKEN]"


def test_two_that_began_at_once_are_both_known(paths: RunPaths, tmp_path: Path) -> None:
    other = RunPaths(tmp_path / "other")
    other.root.mkdir()
    remember(paths, {FIRST: "A_TOKEN"})
    remember(other, {SECOND: "B_TOKEN"})
    paths.secrets.write_bytes(paths.secrets.read_bytes() + other.secrets.read_bytes())
    assert not remember(paths, {FIRST: "A_TOKEN", SECOND: "B_TOKEN"})
    assert "hidden" not in Redactor({}, digests=remembered(paths)).text(f"{FIRST} {SECOND}")


def test_a_link_or_a_pipe_in_its_place_leads_nowhere_and_holds_nobody_up(paths: RunPaths, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    paths.secrets.symlink_to(outside)
    for _ in range(2):
        assert remembered(paths) == ()
        with pytest.raises(OSError, match=r"\.secrets"):
            remember(paths, {FIRST: "A_TOKEN"})
        paths.secrets.unlink()
        os.mkfifo(paths.secrets)
    assert outside.read_text() == ""


def test_the_file_does_not_grow_without_end(paths: RunPaths) -> None:
    paths.secrets.write_bytes(b" " * MOST_BYTES)
    assert not remember(paths, {FIRST: "A_TOKEN"})
    assert paths.secrets.stat().st_size == MOST_BYTES


def test_of_an_environment_only_what_the_run_does_not_know_is_told(paths: RunPaths) -> None:
    environ = {"A_TOKEN": FIRST, "DATABASE_URL": f"postgres://u:{SECOND}@h", "B_TOKEN": "postgres", "PATH": "/bin"}
    tell_own(paths, environ)
    first = paths.secrets.read_bytes()
    assert {each.name for each in remembered(paths)[0].values} == {"A_TOKEN", "DATABASE_URL"}
    tell_own(paths, environ)
    assert paths.secrets.read_bytes() == first


def test_a_line_of_which_the_disk_took_a_part_is_no_success(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda fd, data: write(fd, data[: len(data) // 2]))
        with pytest.raises(OSError, match="space"):
            remember(paths, {FIRST: "A_TOKEN"})
    assert remember(paths, {FIRST: "A_TOKEN"})
    assert FIRST not in Redactor({}, digests=remembered(paths)).text(FIRST)
