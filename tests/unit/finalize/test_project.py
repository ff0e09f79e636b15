"""The readable lines that events leave: one an event, in logs that go on in other files."""

from __future__ import annotations

import json
from pathlib import Path

from runwatch.finalize.project import Projector
from runwatch.journal.follow import Follower
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter

LIMIT = 1000


def a_run(root: Path, events: int) -> RunPaths:
    paths = RunPaths(root / "f/r1")
    paths.logs.mkdir(parents=True)
    writer = EventWriter(paths)
    for number in range(events):
        writer.emit("tool.completed", tool=f"tool {number}", success=True, duration_s=0.1, step=1)
    writer.close()
    return paths


def project(paths: RunPaths, count: int | None = None) -> None:
    """Let a new recorder project the first ``count`` events, all without."""
    projector = Projector(paths, LIMIT)
    follower = Follower(paths.journal)
    lines = follower.read()
    follower.close()
    position = 0
    for line in lines[:count]:
        position += len(line) + 1
        projector.take(line, position)


def test_a_log_past_its_limit_goes_on_in_the_next_file_whatever_recorders_come_and_go(tmp_path: Path) -> None:
    paths = a_run(tmp_path, 40)
    for count in (7, 8, 25, None):
        project(paths, count)
    logs = sorted(paths.logs.rglob("*.log"), key=lambda path: (len(path.name), path.name))
    assert len(logs) > 5
    stems = {path.name.split(".")[0] for path in logs}
    assert len(stems) == 1
    assert [path.name for path in logs[:3]] == [f"{stems.copy().pop()}{part}.log" for part in ("", ".1", ".2")]
    assert all(LIMIT <= path.stat().st_size < LIMIT + 400 for path in logs[:-1])
    lines = [json.loads(line) for path in logs for line in path.read_bytes().splitlines()]
    assert len(lines) == 40
    assert [line["at"] for line in lines] == sorted({line["at"] for line in lines})


def test_what_the_command_printed_is_not_taken_for_a_line_of_ours(tmp_path: Path) -> None:
    paths = a_run(tmp_path, 3)
    for name in ("stdout.log", "stdout.1.log", "stderr.12.log"):
        (paths.logs / name).write_text('{"logger":"runwatch","at":99999999}\n')
    project(paths)
    written = [path for path in paths.logs.rglob("*.log") if not path.name.startswith("std")]
    assert sum(len(path.read_bytes().splitlines()) for path in written) == 3


def test_lines_of_logs_that_were_taken_away_are_not_written_again(tmp_path: Path) -> None:
    paths = a_run(tmp_path, 3)
    paths.logs.rmdir()
    project(paths)
    assert not paths.logs.exists()
