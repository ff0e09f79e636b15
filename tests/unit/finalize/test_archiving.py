"""The stages `archive` and `verify`, cut off at any point and repeated."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runwatch.errors import RecordError
from runwatch.finalize import archive
from runwatch.finalize.archive_verify import verify
from runwatch.finalize.publish import closing_lines
from runwatch.finalize.stages import Finalizer
from runwatch.finalize.state import FinalizeState, Outcome, load_state
from runwatch.journal.create import create_run
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.settings import Settings

LOG = b"a line of a log\n" * 1000


class Killed(BaseException):
    """Stands for SIGKILL at the end of a stage."""


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    """A run that has ended."""
    made = create_run(tmp_path / "runs", "f", now=datetime.now(UTC))
    writer = EventWriter(made)
    writer.emit("run.started", framework="f", run_id=made.run_id, cwd=str(tmp_path), schema=1)
    writer.close()
    (made.logs / "stdout.log").write_bytes(LOG)
    return made


def finalize(paths: RunPaths, *, first: str | None = None, until: str | None = None) -> FinalizeState:
    def on_stage(name: str, done: float) -> None:
        if (name, done) == (until, 1.0):
            raise Killed

    outcome = Outcome(status="completed", exit_code=0)
    return Finalizer(paths, Settings(), outcome=outcome, on_stage=on_stage).run(first=first)


def leftovers(paths: RunPaths) -> list[str]:
    return sorted(path.name for path in paths.root.iterdir() if path.name.startswith("run.tar.gz."))


@pytest.mark.parametrize("stage", ["summary", "archive", "verify", "summary_final", "commit"])
def test_killed_behind_any_stage_the_next_one_ends_with_a_recorded_archive(paths: RunPaths, stage: str) -> None:
    with pytest.raises(Killed):
        finalize(paths, until=stage)
    state = finalize(paths)
    assert {name for name, found in state.stages.items() if not found.done} <= {"commit"}  # no repository here
    assert state.archive is not None
    assert verify(paths.archive).sha256 == state.archive.sha256
    assert state.archive.sha256 in paths.metadata.read_text(encoding="utf-8")
    assert leftovers(paths) == []


def test_an_archive_that_is_not_what_was_made_is_made_again(paths: RunPaths) -> None:
    with pytest.raises(Killed):
        finalize(paths, until="archive")
    raw = paths.archive.read_bytes()
    paths.archive.write_bytes(raw[:100] + bytes([raw[100] ^ 1]) + raw[101:])
    state = finalize(paths)
    assert state.done("verify")
    assert verify(paths.archive).members > 3


def test_an_archive_that_is_made_again_of_the_same_run_is_the_same(paths: RunPaths) -> None:
    made = finalize(paths)
    raw, metadata, summary = (path.read_bytes() for path in (paths.archive, paths.metadata, paths.summary_markdown))
    for _ in range(2):
        again = finalize(paths, first="archive")
        assert again.archive == made.archive
        assert (paths.archive.read_bytes(), paths.metadata.read_bytes()) == (raw, metadata)
        assert paths.summary_markdown.read_bytes() == summary
    paths.archive.unlink()
    assert finalize(paths, first="archive").archive == made.archive
    assert paths.archive.read_bytes() == raw


def test_a_repetition_that_is_killed_is_gone_on_with(paths: RunPaths) -> None:
    finalize(paths)
    whole = paths.metadata.read_bytes()
    (paths.logs / "late.log").write_bytes(b"late\n")
    with pytest.raises(Killed):
        finalize(paths, first="archive", until="archive")
    assert not load_state(paths.finalize_state).complete
    state = finalize(paths)
    assert state.archive is not None
    assert state.archive.sha256 in paths.metadata.read_text(encoding="utf-8")
    assert paths.metadata.read_bytes() != whole


def test_no_commit_is_made_before_what_a_shortage_kept_out(tmp_path: Path, paths: RunPaths) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (paths.logs / "stdout.log").write_bytes(os.urandom(1 << 20))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
    try:
        state = finalize(paths)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [name for name in ("archive", "commit", "done") if state.done(name)] == []
    assert "ulimit -f" in (state.stages["commit"].error or "")
    made = finalize(paths)
    assert made.commit is not None
    assert finalize(paths, first="archive").archive == made.archive
    assert len(list((tmp_path / ".git/logs/HEAD").read_text(encoding="utf-8").splitlines())) == 1


def test_a_verified_archive_is_kept_and_held_against_its_record(paths: RunPaths) -> None:
    finalize(paths)
    raw = paths.archive.read_bytes()
    for first in ("reports", "summary", "verify"):
        assert finalize(paths, first=first).done("verify")
        assert paths.archive.read_bytes() == raw
    (paths.logs / "late.log").write_bytes(b"late\n")
    finalize(paths, first="archive")
    assert paths.archive.read_bytes() != raw
    metadata = paths.metadata.read_bytes()
    (paths.logs / "later.log").write_bytes(b"later\n")
    archive.forget(paths.root)
    archive.create(paths.root)  # another one, behind the record's back
    state = finalize(paths, first="verify")
    assert state.done("verify")
    assert verify(paths.archive).sha256 == (state.archive and state.archive.sha256)
    assert paths.metadata.read_bytes() != metadata


@pytest.mark.parametrize("damage", ["gone", "another", "no file"])
def test_an_archive_that_is_not_there_any_more_is_made_again_and_nothing_else_changes(
    tmp_path: Path, paths: RunPaths, damage: str
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    made = finalize(paths)
    raw, tracked = paths.archive.read_bytes(), [(paths.root / name).read_bytes() for name in TRACKED]
    if damage == "another":
        paths.archive.write_bytes(raw[:100] + bytes([raw[100] ^ 1]) + raw[101:])
    else:
        paths.archive.unlink()
    if damage == "no file":
        paths.archive.mkdir()
    again = finalize(paths)
    assert again.done("verify") is (damage != "no file")
    if damage != "no file":
        assert paths.archive.read_bytes() == raw
        assert [(paths.root / name).read_bytes() for name in TRACKED] == tracked
        assert again.commit == made.commit
        assert len((tmp_path / ".git/logs/HEAD").read_text().splitlines()) == 1
    else:
        (line,) = [line for line in closing_lines(paths) if line.startswith("runwatch: archive ")]
        assert "none: " in line
        assert "sha256" not in line


def test_an_archive_that_alone_held_the_logs_is_asked_for_and_what_is_committed_stays(
    tmp_path: Path, paths: RunPaths
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    made = finalize(paths)
    assert made.archive is not None
    raw, tracked = paths.archive.read_bytes(), [(paths.root / name).read_bytes() for name in TRACKED]
    shutil.rmtree(paths.logs)
    paths.archive.unlink()
    for first in (None, "archive"):
        state = finalize(paths, first=first)
        why = state.stages["archive"].error or ""
        assert (
            f"run.tar.gz is gone: it alone held the logs, so put a copy of it there (SHA-256 {made.archive.sha256})"
            in why
        )
        assert (state.archive, state.commit) == (made.archive, made.commit)
        assert [(paths.root / name).read_bytes() for name in TRACKED] == tracked
        (line,) = [line for line in closing_lines(paths) if line.startswith("runwatch: archive ")]
        assert line.count("runwatch finalize") == 1
        assert line == f"runwatch: archive  none: {why}"
    assert len((tmp_path / ".git/logs/HEAD").read_text().splitlines()) == 1
    paths.archive.write_bytes(raw)
    assert finalize(paths).done("verify")
    assert paths.archive.read_bytes() == raw


@pytest.mark.parametrize("lost", ["all", "its last line", "one byte in it"])
@pytest.mark.parametrize("first", [None, "close", "archive"])
def test_a_journal_that_lost_events_never_replaces_the_archive_that_has_them(
    paths: RunPaths, lost: str, first: str | None
) -> None:
    finalize(paths)
    raw = paths.journal.read_bytes()
    kept = {
        "all": b"",
        "its last line": raw[: raw.rindex(b"\n", 0, -1) + 1],
        "one byte in it": raw.replace(b"completed", b"compleTed", 1),
    }[lost]
    before = {path: path.read_bytes() for path in (paths.archive, paths.metrics, paths.finalize_state)}
    paths.journal.chmod(0o600)
    paths.journal.write_bytes(kept)
    with pytest.raises(RecordError, match=r"has lost events that run\.tar\.gz still holds") as refused:
        finalize(paths, first=first)
    assert {path: path.read_bytes() for path in before} == before
    subprocess.run(["sh", "-c", refused.value.sentence.split("`")[1]], check=True)  # what it says to do
    assert paths.journal.read_bytes() == raw
    assert finalize(paths, first=first).complete


def test_an_archive_that_is_not_what_was_verified_holds_nobody_up(paths: RunPaths) -> None:
    finalize(paths)
    raw = paths.archive.read_bytes()
    paths.archive.write_bytes(raw[:100] + bytes([raw[100] ^ 1]) + raw[101:])
    paths.journal.chmod(0o600)
    paths.journal.write_bytes(paths.journal.read_bytes().replace(b"completed", b"compleTed", 1))
    assert finalize(paths).done("verify")
    assert verify(paths.archive).members > 3


def test_what_was_appended_behind_the_seal_is_no_loss(paths: RunPaths) -> None:
    finalize(paths)
    paths.journal.chmod(0o600)
    with paths.journal.open("ab") as journal:
        journal.write(b'{"type":"warning","message":"late"}\n')
    assert finalize(paths).complete
