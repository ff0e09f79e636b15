"""Runs that nobody owns any more, laid out as a killed recorder leaves them.

Must not import runwatch: what is recovered is held against what was written here.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
from pathlib import Path
from typing import Any

from integration.recorded import start, wait_for

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
LONG_AGO = (1_760_000_000, 1_760_000_000)
"""Times of files."""
OTHER_BOOT = "00000000-0000-4000-8000-000000000000"


def dead_run(runs: Path, name: str = "f/r1", *, ended: dict[str, Any] | None = None, **started: Any) -> Path:
    """Lay out a run that ended in its second step; ``started`` are fields of its first event; return its directory."""
    run = runs / name
    (run / "logs" / "step_001").mkdir(parents=True, mode=0o700)
    (run / "logs" / "step_001" / "stdout.log").write_text("one\ntwo\n")
    framework, run_id = name.split("/")
    head = {"type": "run.started", "ts": "2026-10-20T10:00:00Z", "framework": framework, "run_id": run_id}
    head |= {"host": platform.node(), "boot_id": BOOT_ID, "schema": 1} | started
    lines = [
        head,
        {"type": "step.started", "ts": "2026-10-20T10:00:01Z", "step": 1, "name": "build"},
        {"type": "step.completed", "ts": "2026-10-20T10:00:03Z", "step": 1, "status": "success"},
        {"type": "step.started", "ts": "2026-10-20T10:00:03Z", "step": 2, "name": "test"},
    ]
    (run / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / ".gitignore").write_text("*\n")
    (run / ".lock").touch()
    for file in (".lock", "events.jsonl"):
        os.utime(run / file, LONG_AGO)
    if ended is not None:
        (run / "finalize.json").write_text(json.dumps({"outcome": ended}))
    ignore = runs / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return run


def killed(cwd: Path, *command: str) -> tuple[Path, int]:
    """Record a command that prints its pid first, and kill all who watch over it; return its directory and its pid."""
    process = start(*command, cwd=cwd)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    run = wait_for(lambda: [path.parent for path in cwd.glob("runs/*/*/metadata.json")], "the first flush")[0]
    recorder = wait_for(lambda: recorder_of(run), "the recorder")
    os.kill(process.pid, signal.SIGSTOP)  # else it may start another recorder, which ends the command
    for watcher in (recorder, process.pid):
        os.kill(watcher, signal.SIGKILL)
    process.wait(60)
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    return run, pid


def recorder_of(run: Path) -> int | None:
    """Return the recorder of a run."""
    wanted = [b"runwatch.record.recorder", os.fsencode(run)]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if all(word in words for word in wanted):
            return int(path.parent.name)
    return None


def read(run: Path, name: str) -> Any:
    """Return a JSON file of a run."""
    return json.loads((run / name).read_bytes())


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def small_disk(folder: Path, *options: str) -> bool:
    """Mount a small file system of its own; False where that is not permitted. Who calls it unmounts it."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(("size=8m", *options)), "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
