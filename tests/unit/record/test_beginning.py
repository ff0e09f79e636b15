"""What is said of a journal that was lost under a live run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.record.beginning import Beginning

STARTED = b'{"type":"run.started","ts":"2026-11-21T10:00:00Z","framework":"f","run_id":"r"}'
SAMPLE = b'{"type":"resource.sample","ts":"2026-11-21T10:00:01Z"}'


@pytest.mark.parametrize(
    ("new", "types", "lost"),
    [
        ([SAMPLE, SAMPLE], ["run.started", "warning"], "up to 2 are lost"),
        ([], ["run.started", "warning"], "up to 2 are lost"),
        ([STARTED, SAMPLE], ["warning"], "up to 1 are lost"),
        ([STARTED, SAMPLE, SAMPLE], [], ""),
    ],
    ids=["others were written since", "emptied", "a copy that lacks the last", "a whole copy"],
)
def test_how_many_are_lost_is_told_by_what_is_there_of_the_former_ones(
    tmp_path: Path, new: list[bytes], types: list[str], lost: str
) -> None:
    run = tmp_path / "f" / "r"
    run.mkdir(parents=True)
    (run / "events.jsonl").touch()
    paths = RunPaths(run)
    writer = EventWriter(paths)
    beginning = Beginning(paths, writer)
    beginning.take([STARTED, SAMPLE, SAMPLE])
    beginning.caught_up()
    beginning.restarted()
    if new:
        beginning.take(new)
    beginning.caught_up()
    writer.close()
    events = [json.loads(line) for line in paths.journal.read_bytes().splitlines()]
    assert [event["type"] for event in events] == types
    assert [lost in event["message"] for event in events if event["type"] == "warning"] == [True] * bool(lost)
