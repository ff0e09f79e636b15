"""How a live run stands whose recorder gives no sign, wherever in its life that was stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runwatch.journal.lock import Role, RunLock
from runwatch.journal.paths import RunPaths
from runwatch.runs.doctor import folder
from runwatch.runs.listing import listed
from runwatch.runs.standing import standing
from runwatch.settings import Settings

AGO_S = 42.0


@pytest.fixture
def held(tmp_path: Path) -> Iterator[RunLock]:
    """The lock of a run that has begun, touched for the last time a while ago."""
    root = tmp_path / "f/r1"
    (root / "logs").mkdir(parents=True)
    (root / "events.jsonl").write_text('{"type":"run.started","framework":"f","run_id":"r1"}\n')
    lock = RunLock.of(root / ".lock")
    os.utime(lock.path, (time.time() - AGO_S,) * 2)
    yield lock
    lock.close()


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ((Role.OWNER, Role.RECORDER), f"its recorder (process {os.getpid()}) has been stalled for 42s"),
        ((Role.OWNER,), "no recorder has given a sign for 42s: the command goes on and its output is kept"),
        ((Role.STARTER,), "it has not begun, for 42s"),
    ],
    ids=["later", "before it came to its lock", "the supervisor itself"],
)
def test_a_recorder_that_was_stopped_is_said_to_be(held: RunLock, roles: tuple[Role, ...], said: str) -> None:
    for role in roles:
        assert held.acquire(role)
    paths = RunPaths(held.path.parent)
    now = standing(paths)
    assert now.live
    assert now.stalled_s is not None
    assert int(now.stalled_s) == AGO_S
    assert now.remark is not None
    assert said in now.remark
    (found,) = [each for each in folder.unfinished(paths.root.parents[1], Settings()) if each.check == "live runs"]
    assert (found.level, said in found.sentence) == ("warning", True)
    held.beat()
    assert (standing(paths).stalled_s, standing(paths).remark) == (None, None)


@pytest.mark.parametrize(
    ("journal", "status", "live"),
    [
        (b'{"type":"run.started","framew', "broken", False),
        (b'ew":"f"}\n{"type":"warning","message":"whole"}\n', "crashed", False),
        (b"", None, True),
        (b'{"type":"run.started","framework":"f","run_id":"r1"}\n', None, True),
    ],
    ids=["its only line is torn", "its first line is torn", "nothing is written yet", "its lock is still to come"],
)
def test_a_run_without_a_lock_is_just_starting_only_where_its_journal_can_be_that_of_one(
    tmp_path: Path, journal: bytes, status: str | None, live: bool
) -> None:
    paths = RunPaths(tmp_path / "f/r1")
    paths.root.mkdir(parents=True)
    paths.journal.write_bytes(journal)
    now = standing(paths)
    assert (now.status, now.live) == (status, live)
    assert listed(paths.root).row.status == (status or "running")
