"""The thread that follows a run on disk: real files, real locks, no app."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runwatch.finalize import archive
from runwatch.fold import Fold
from runwatch.journal.lock import Role, RunLock
from runwatch.tui import feed as feed_module
from runwatch.tui import unpacked
from runwatch.tui.feed import Feed
from runwatch.tui.state import STAGES, Ending, Life, Outcome, Snapshot, Stage

PATIENCE_S = 15.0


class Recorded:
    """A run directory that a test writes into, as a recorder would."""

    def __init__(self, root: Path) -> None:
        self.dir = root / "runs" / "sh" / "20261020-142345-abc123"
        (self.dir / "logs").mkdir(parents=True)
        self._journal = (self.dir / "events.jsonl").open("ab", buffering=0)
        self._second = 0
        self.lock = RunLock.of(self.dir / ".lock")
        self.emit("run.started", framework="sh", run_id=self.dir.name)

    def emit(self, type_name: str, **fields: Any) -> None:
        """Append one event, a second after the one before."""
        self._second += 1
        ts = f"2026-10-20T14:{self._second // 60:02d}:{self._second % 60:02d}.000000Z"
        self._journal.write(json.dumps({"type": type_name, "ts": ts, **fields}).encode() + b"\n")

    def hold(self, *roles: Role) -> None:
        """Be alive."""
        for role in roles:
            assert self.lock.acquire(role)

    def write(self, name: str, value: Any) -> None:
        """Replace a JSON file."""
        beside = self.dir / f".{name}"
        beside.write_bytes(msgspec.json.encode(value))
        os.replace(beside, self.dir / name)

    def close(self) -> None:
        """Die."""
        self._journal.close()
        self.lock.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Recorded]:
    """A run that has just begun, an hour ago as far as the grace for new ones goes."""
    recorded = Recorded(tmp_path)
    yield recorded
    recorded.close()


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "GRACE_S", 0.0)
    monkeypatch.setattr(feed_module, "PULSE_S", 0.05)
    monkeypatch.setattr(feed_module, "REST_S", 0.05)


class Heard:
    """What a feed said, newest last."""

    feed: Feed
    """Who says it."""

    def __init__(self) -> None:
        self.all: list[tuple[float, Snapshot]] = []

    def __call__(self, snapshot: Snapshot) -> None:
        self.all.append((time.monotonic(), snapshot))

    def until(self, condition: Callable[[Snapshot], object]) -> Snapshot:
        """Wait for a snapshot that is as wished, and return it."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.all and condition(self.all[-1][1])):
            assert time.monotonic() < deadline, f"waited in vain; the last was {self.all[-1:]}"
            time.sleep(0.01)
        return self.all[-1][1]


@contextmanager
def following(run_dir: Path) -> Iterator[Heard]:
    """Follow a run in a thread."""
    heard = Heard()
    feed = Feed(run_dir, heard, new_fold=Fold, clock=lambda: "2026-10-20T14:30:00.000000Z")
    heard.feed = feed
    thread = threading.Thread(target=feed.run, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        feed.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_events_are_shown_as_they_are_appended(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    with following(run.dir) as heard:
        assert heard.until(lambda seen: seen.metrics.run.run_id).life is Life.RUNNING
        run.emit("step.started", step=1, name="build")
        assert heard.until(lambda seen: seen.metrics.steps).metrics.current_step == 1
        run.emit("error", message="no")
        heard.until(lambda seen: seen.metrics.run.errors == 1)


def test_a_run_whose_holders_died_is_dead_and_its_clock_stands(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    run.emit("step.started", step=1)
    with following(run.dir) as heard:
        assert heard.until(lambda seen: seen.life is Life.RUNNING).metrics.run.duration_seconds > 60
        run.lock.release(Role.OWNER)
        run.lock.release(Role.RECORDER)
        dead = heard.until(lambda seen: seen.life is Life.DEAD)
        assert dead.metrics.run.duration_seconds == 1.0


def test_a_recorder_that_leaves_no_heartbeat_is_stalled_and_one_that_is_gone_is_missing(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.life is Life.RUNNING)
        long_ago = time.time() - 60
        os.utime(run.dir / ".lock", (long_ago, long_ago))
        stalled = heard.until(lambda seen: seen.life is Life.STALLED)
        assert stalled.stalled_s is not None
        assert stalled.stalled_s >= 60
        run.lock.beat()
        assert heard.until(lambda seen: seen.life is Life.RUNNING).stalled_s is None
        run.lock.release(Role.RECORDER)
        heard.until(lambda seen: seen.life is Life.UNFOLDED)


def test_the_finalizers_stages_and_its_summary_are_followed(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.life is Life.RUNNING)
        state: dict[str, Any] = {"schema": 1, "outcome": {"status": "failed", "exit_code": 3}, "stages": {}}
        run.write("finalize.json", state)
        assert heard.until(lambda seen: seen.life is Life.FINALIZING).ending.finished == 0
        state["stages"]["close"] = {"done": True}
        run.write("finalize.json", state)
        heard.until(lambda seen: seen.ending.done("close"))
        (run.dir / "logs_summary.txt").write_text("EXPERIMENT RUN SUMMARY\n")
        heard.until(lambda seen: seen.summary == "EXPERIMENT RUN SUMMARY\n")
        run.emit("run.completed", status="failed", exit_code=3)
        state["stages"]["done"] = {"done": True}
        run.write("finalize.json", state)
        assert heard.until(lambda seen: seen.life is Life.ENDED).metrics.run.status == "failed"


def test_a_fresh_clone_shows_what_the_tracked_files_know(tmp_path: Path) -> None:
    run_dir = tmp_path / "runs" / "sh" / "old"
    run_dir.mkdir(parents=True)
    (run_dir / "metrics.json").write_text('{"run": {"run_id": "old", "status": "completed", "errors": 2}, "steps": []}')
    (run_dir / "logs_summary.txt").write_text("EXPERIMENT RUN SUMMARY\n")
    with following(run_dir) as heard:
        seen = heard.until(lambda seen: seen.summary)
        assert (seen.life, seen.metrics.run.errors) == (Life.ENDED, 2)


def test_a_long_journal_shows_metrics_json_first_and_then_its_own_numbers(
    run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "BIG_JOURNAL_BYTES", 1000)
    monkeypatch.setattr(feed_module, "SLICE_S", 0.0)
    monkeypatch.setattr(feed_module, "POST_S", 0.0)
    for number in range(30_000):
        run.emit("error", message=f"number {number}")
    run.write("metrics.json", {"run": {"run_id": run.dir.name, "errors": 77}})
    run.hold(Role.OWNER, Role.RECORDER)
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.metrics.run.errors == 30_000)
        early = [seen for _, seen in heard.all if seen.read_ratio < 1.0]
        assert early, "nothing was shown before the fold had caught up"
        assert {seen.metrics.run.errors for seen in early} == {77}


def test_it_says_something_at_most_five_times_a_second(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.metrics.run.run_id)
        for number in range(300):
            run.emit("error", message=f"number {number}")
            time.sleep(0.002)
        heard.until(lambda seen: seen.metrics.run.errors == 300)
        times = [at for at, _ in heard.all]
        assert all(after - before >= 0.195 for before, after in itertools.pairwise(times))


def test_a_journal_that_was_replaced_is_folded_anew(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    for _ in range(5):
        run.emit("error", message="old")
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.metrics.run.errors == 5)
        fresh = run.dir / ".fresh"
        fresh.write_text('{"type":"run.started","ts":"2026-10-20T14:00:00Z","framework":"sh","run_id":"new"}\n')
        os.replace(fresh, run.dir / "events.jsonl")
        assert heard.until(lambda seen: seen.metrics.run.run_id == "new").metrics.run.errors == 0


def test_what_became_known_after_the_end_is_folded_too(run: Recorded) -> None:
    run.emit("issue.started", issue=7)
    run.emit("issue.completed", issue=7, status="failed")
    run.emit("run.completed", status="failed")
    with following(run.dir) as heard:
        assert heard.until(lambda seen: seen.metrics.issues).metrics.issues[0].status == "failed"
        later = '{"type":"outcome.verified","ts":"2026-10-20T15:00:00Z","issue":7,"success":true,"source":"git"}\n'
        (run.dir / "post.jsonl").write_text(later)
        heard.until(lambda seen: seen.metrics.run.total_successes == 1)


def test_logs_that_appear_are_noticed(run: Recorded) -> None:
    run.hold(Role.OWNER, Role.RECORDER)
    with following(run.dir) as heard:
        before = heard.until(lambda seen: seen.metrics.run.run_id).logs
        (run.dir / "logs" / "step_001").mkdir()
        (run.dir / "logs" / "step_001" / "adapter.log").write_text("hello\n")
        heard.until(lambda seen: seen.logs > before)


def pruned(run: Recorded, *, archived: bool = True) -> None:
    """Let a run have ended with its logs in the archive alone."""
    for step in range(1, 31):
        folder = run.dir / "logs" / f"step_{step:03d}"
        folder.mkdir()
        (folder / "adapter.log").write_text(f"step {step} speaks\n")
    if archived:
        archive.create(run.dir)
    shutil.rmtree(run.dir / "logs")
    run.write("finalize.json", Ending(Outcome("completed"), {name: Stage(done=True) for name in STAGES}))


def test_logs_that_are_in_the_archive_alone_are_shown_from_there_and_leave_nothing_behind(run: Recorded) -> None:
    pruned(run)
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.logs and not seen.no_logs)
        assert "Reading the logs from run.tar.gz" in " ".join(seen.no_logs for _, seen in heard.all)
        logs = heard.feed.logs
        assert stat.S_IMODE(logs.run_dir.parent.stat().st_mode) == 0o700
        heard.until(lambda seen: not logs.unseen)
        for step in (1, 30):
            source = logs.source(step)
            source.advance(1.0)
            assert [row.line.text for row in source.rows(0, 9)] == [f"step {step} speaks"]
    assert not logs.run_dir.parent.exists()
    assert not (run.dir / "logs").exists()


@pytest.mark.parametrize(
    ("archived", "most_bytes", "said"),
    [(True, 10, "`runwatch logs 20261020-142345-abc123` prints them"), (False, 1 << 30, "`runwatch show 20261020")],
)
def test_logs_that_cannot_be_shown_are_said_to_be_elsewhere(
    run: Recorded, monkeypatch: pytest.MonkeyPatch, archived: bool, most_bytes: int, said: str
) -> None:
    monkeypatch.setattr(unpacked, "MOST_BYTES", most_bytes)
    pruned(run, archived=archived)
    with following(run.dir) as heard:
        assert said in heard.until(lambda seen: seen.no_logs).no_logs


def test_a_damaged_archive_is_named_with_what_is_wrong(run: Recorded) -> None:
    pruned(run)
    (run.dir / "run.tar.gz").write_bytes(b"no archive at all" * 100)
    with following(run.dir) as heard:
        assert "does not begin as runwatch's archives do" in heard.until(lambda seen: seen.no_logs).no_logs


def test_every_step_of_a_finished_run_is_known_at_once(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "REST_S", 60.0)
    for step in range(1, 201):
        folder = run.dir / "logs" / f"step_{step:03d}"
        folder.mkdir()
        (folder / "adapter.log").write_text("x\n")
    run.write("finalize.json", Ending(Outcome("completed"), {name: Stage(done=True) for name in STAGES}))
    with following(run.dir) as heard:
        heard.until(lambda seen: seen.life is Life.ENDED)
        heard.until(lambda seen: all(heard.feed.logs.components(step) == ["adapter"] for step in range(1, 201)))


def test_a_run_that_is_renamed_is_followed_where_it_lies(run: Recorded, tmp_path: Path) -> None:
    (run.dir / "logs" / "stdout.log").write_text("before\n")
    with following(run.dir) as heard:
        before = heard.until(lambda snapshot: snapshot.life is Life.DEAD and snapshot.logs)
        os.rename(tmp_path / "runs", tmp_path / "old")
        run.emit("error", error_type="E", message="after")
        seen = heard.until(lambda snapshot: snapshot.metrics.run.errors and snapshot.logs > before.logs)
        assert (seen.life, seen.metrics.journal.events) == (Life.DEAD, 2)
        assert heard.feed.logs.steps == [None]
        (tmp_path / "old/sh" / run.dir.name / "logs/step_001").mkdir()
        (tmp_path / "old/sh" / run.dir.name / "logs/step_001/stdout.log").write_text("after\n")
        heard.until(lambda snapshot: heard.feed.logs.steps == [None, 1])
        shutil.rmtree(tmp_path / "old")
        heard.until(lambda snapshot: snapshot.life is Life.GONE)
