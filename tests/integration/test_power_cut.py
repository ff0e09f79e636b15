"""A power cut: everybody is gone at once, and every file ends where it was synced last.

What had been synced is noted by a layer under os.fsync and os.fdatasync. Names are taken to survive, as on a journaling
file system; a file that nobody ever synced is empty.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault_subject import Subject, template, wait_for

LAYER = Path(__file__).parents[1] / "power_cut"
WINDOW_EVENTS = 100
WINDOW_S = 1.0
LATE_S = 2.0
"""How late a thread may be woken on a machine that has other things to do."""

# It knows nothing of runwatch: lines of its own in the journal, and output.
FOREIGN = """
import os, sys, time
acknowledged = os.open(os.path.join(sys.argv[1], "acknowledged"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
journal = os.open(os.path.join(os.environ["RUNWATCH_RUN_DIR"], "events.jsonl"), os.O_WRONLY | os.O_APPEND)
os.write(acknowledged, b"phase start\\n")
number = 0
while True:
    number += 1
    name = f"{os.getpid()}-{number}"
    os.write(journal, b'{"type":"tool.completed","tool":"t","call_id":"%s"}\\n' % name.encode())
    os.write(1, b"line %d\\n" % number)
    os.write(acknowledged, b"%s %f\\n" % (name.encode(), time.monotonic()))
    time.sleep(0.01)
"""


@pytest.fixture
def subjects(tmp_path: Path) -> Iterator[list[Subject]]:
    """A program with the SDK, a recorded one, and one that writes events by hand, over the layer."""
    like = template(tmp_path / "like")
    path = os.pathsep.join([str(LAYER), os.environ.get("PYTHONPATH", "")])
    started = []
    for name, options in (("alone", {"alone": True}), ("recorded", {}), ("foreign", {"program": FOREIGN})):
        environ = {"PYTHONPATH": path, "POWER_CUT_NOTES": str(tmp_path / f"{name}-notes")}
        started.append(Subject(tmp_path / name, like, environ=environ, **options))  # type: ignore[arg-type]  # of three kinds
    yield started
    for subject in started:
        subject.clean_up()


def cut(subject: Subject, notes: Path) -> dict[str, int]:
    """Kill all at once, cut every file to what was synced of it, and return how much each lost."""
    subject.kill_all()
    synced: dict[tuple[int, int], int] = {}
    for line in notes.read_text().splitlines():
        device, inode, size = map(int, line.split())
        synced[device, inode] = max(size, synced.get((device, inode), 0))
    lost = {}
    for path in subject.run.rglob("*"):
        if path.is_file() and path.name != ".lock":
            found = path.stat()
            keep = min(found.st_size, synced.get((found.st_dev, found.st_ino), 0))
            lost[str(path.relative_to(subject.run))] = found.st_size - keep
            os.truncate(path, keep)
    return lost


def test_a_power_cut_costs_the_stated_window_and_nothing_else(subjects: list[Subject], tmp_path: Path) -> None:
    for subject in subjects:
        subject.lead_into("start", events=WINDOW_EVENTS)
        subject.pid("recorder")
        # Long enough that nothing at all would be found if nobody ever synced it.
        begin = len(subject.acknowledged())
        wait_for(lambda: len(subject.acknowledged()) > begin + 2 * WINDOW_EVENTS, "more events")  # noqa: B023 - at once
    for subject in subjects:
        lost_bytes = cut(subject, tmp_path / f"{subject.repository.parent.name}-notes")
        now = time.monotonic()
        acknowledged = subject.acknowledged_at()
        journal = (subject.run / "events.jsonl").read_bytes()
        kept = [name for name, _ in acknowledged if f'"{name}"'.encode() in journal]
        assert [name for name, _ in acknowledged[: len(kept)]] == kept, "what is lost is the end"
        lost = acknowledged[len(kept) :]
        ages = [now - at for _, at in lost]
        assert len(lost) <= WINDOW_EVENTS or ages[0] <= WINDOW_S + LATE_S, (len(lost), ages[:1])
        printed = sum(size for name, size in lost_bytes.items() if name.endswith("stdout.log"))
        assert printed <= len("line 123456\n") * max(1, sum(now - at <= WINDOW_S + LATE_S for _, at in acknowledged))
        done = subject.runwatch("recover")
        assert done.returncode == 0, done.stderr
        assert subject.faults(acknowledged=kept, statuses=("crashed",), exact=True, again=True) == []
