"""Finding the logs of a run while they come into being."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runwatch.journal.log_files import RunLogs


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "logs").mkdir(parents=True)
    return tmp_path / "run"


def add(run: Path, name: str, text: str = "x\n") -> Path:
    path = run / "logs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_run_without_logs_has_none(tmp_path: Path) -> None:
    logs = RunLogs(tmp_path / "nothing")
    assert not logs.poll()
    assert (logs.steps, logs.components(None), logs.components(3)) == ([], [], [])
    source = logs.source(3)
    source.advance(0.01)
    assert (source.row_count, source.rows(0, 5), source.components) == (0, [], ())


def test_steps_and_components_appear_by_themselves(run: Path) -> None:
    logs = RunLogs(run)
    logs.poll()
    add(run, "run.log")
    assert logs.poll()
    assert logs.steps == [None]
    add(run, "step_001/adapter.log")
    assert logs.poll()
    assert (logs.steps, logs.components(1)) == ([None, 1], ["adapter"])
    add(run, "step_001/stderr.log")
    add(run, "step_001/orchestrator.log")
    add(run, "step_1000/adapter.log")
    assert logs.poll()
    assert logs.steps == [None, 1, 1000]
    assert logs.components(1) == ["orchestrator", "adapter", "stderr"], "the usual ones first, the output last"
    assert not logs.poll()


def test_a_file_made_within_the_same_tick_as_a_look_is_not_missed(run: Path) -> None:
    logs = RunLogs(run)
    folder = add(run, "step_001/first.log").parent
    tick = folder.stat().st_mtime_ns
    logs.poll()
    add(run, "step_001/second.log")
    os.utime(folder, ns=(tick, tick))  # a clock too coarse to tell the two
    logs.poll()
    assert logs.components(1) == ["first", "second"]


def test_folders_that_did_not_change_are_not_listed_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(1, 6):
        path = add(run, f"step_{step:03d}/adapter.log")
        os.utime(path.parent, (1, 1))
    os.utime(run / "logs", (1, 1))
    logs = RunLogs(run)
    while logs.poll():
        pass
    listed: list[str] = []
    monkeypatch.setattr(logs._root, "scan", lambda name="": listed.append(name) or [])
    for _ in range(50):
        logs.poll()
    assert listed == []


def test_all_of_many_steps_are_found_and_the_newest_at_once(run: Path) -> None:
    for step in range(1, 101):
        add(run, f"step_{step:03d}/adapter.log")
    logs = RunLogs(run)
    logs.poll()
    assert len(logs.steps) == 100
    assert logs.components(100) == ["adapter"]
    for _ in range(20):
        logs.poll()
    assert all(logs.components(step) == ["adapter"] for step in range(1, 101))
    add(run, "step_100/metrics.log")
    assert logs.poll()
    add(run, "step_002/metrics.log")
    deadline = time.monotonic() + 10
    while "metrics" not in logs.components(2):
        assert time.monotonic() < deadline
        logs.poll()


def test_what_is_no_log_is_left_out(run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text("not yours\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.log").write_text("nor this\n")
    add(run, "step_001/adapter.log")
    step = run / "logs" / "step_001"
    (step / "link.log").symlink_to(secret)
    (step / "folder.log").mkdir()
    os.mkfifo(step / "pipe.log")
    (step / "notes.txt").write_text("x")
    (step / "adapter.log.1").write_text("rotated\n")
    (run / "logs" / "step_002").symlink_to(outside)
    (run / "logs" / "step_1").mkdir()
    (run / "logs" / "step_0003").mkdir()
    logs = RunLogs(run)
    logs.poll()
    assert logs.steps == [1]
    assert logs.components(1) == ["adapter"]


def test_a_run_whose_log_folder_is_a_link_shows_nothing(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "run.log").write_text("not yours\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "logs").symlink_to(real)
    logs = RunLogs(tmp_path / "run")
    logs.poll()
    source = logs.source(None)
    source.advance(0.01)
    assert source.row_count == 0


def test_a_log_goes_on_in_further_files_as_one(run: Path) -> None:
    add(run, "step_001/stdout.log", "one\n")
    logs = RunLogs(run)
    logs.poll()
    source = logs.source(1, ["stdout"])
    source.advance(0.01)
    add(run, "step_001/stdout.1.log", "two\n")
    add(run, "step_001/stdout.10.log", "four\n")
    add(run, "step_001/stdout.2.log", "three\n")
    logs.poll()
    assert logs.components(1) == ["stdout"]
    for _ in range(4):
        source.advance(0.01)
    assert [row.line.text for row in source.rows(0, 9)] == ["one", "two", "three", "four"]


def test_everything_is_all_steps_and_what_lies_outside(run: Path) -> None:
    add(run, "run.log", '{"ts": 1795262401, "msg": "b"}\n')
    add(run, "step_001/adapter.log", '{"ts": 1795262400, "msg": "a"}\n')
    add(run, "step_002/adapter.log", '{"ts": 1795262402, "msg": "c"}\n')
    logs = RunLogs(run)
    logs.poll()
    source = logs.everything()
    source.advance(0.01)
    assert [row.line.message for row in source.rows(0, 9)] == ["a", "b", "c"]
    assert source.components == ("run", "adapter")


def test_logs_that_nobody_shows_any_more_are_closed(run: Path) -> None:
    for step in range(1, 30):
        add(run, f"step_{step:03d}/adapter.log")
    logs = RunLogs(run)
    for _ in range(10):
        logs.poll()
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for step in range(1, 30):
        source = logs.source(step)
        source.advance(0.01)
        assert source.row_count == 1
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + 12
