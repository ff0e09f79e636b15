"""A million-event run: memory of its recorder and of the app that watches it, at 100,000, 500,000 and 1,000,000 events.

Must not need anything but runwatch. `python benchmarks/long_run.py [events]`. The program stops at each mark until
recorder and app have caught up; ends with 1 when either grows by more than the target after the first mark.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _terminal import Terminal

from runwatch.journal.lock import Role, holders

EVENTS = 1_000_000
TARGET_GROWTH_MB = {"recorder": 13.0, "app": 22.0}
"""From the first mark on, of some 62 and 73 MB. Of that the fold's part is 7 MB, whatever else happens: 77,000 more of
the last 100,000 model calls (some 45 bytes each), 18,000 more attempts of agents (some 40), the ends of services, the
durations by agent and model. The recorder's buffers for larger files come on top, and the app's caches of the last
4,096 lines drawn: at the first mark, two seconds after the start, they are all but empty."""
RUNWATCH = [sys.executable, "-m", "runwatch.cli.main"]
PATIENCE_S = 600.0
PROGRAM = """
import os, random, sys, time
import runwatch

marks, rng, count = [int(mark) for mark in sys.argv[1:]], random.Random(7), 0
run = runwatch.RunLogger()

def tell(type_name, **fields):
    global count
    run.emit(type_name, fields)
    count += 1
    if count in marks:
        open(f"reached-{count}", "w").close()
        while not os.path.exists(f"go-{count}"):
            time.sleep(0.02)

steps = 40
while count < marks[-1]:
    step = 1 + count * steps // marks[-1]
    scope = {"step": step, "issue": 100 + step // 4, "agent": rng.choice(("coding", "testing", "review"))}
    model = {"provider": "openai", "model": rng.choice(("gpt-4o", "gpt-4o-mini"))}
    usage = {"prompt_tokens": rng.randrange(9000), "completion_tokens": rng.randrange(900)}
    call = f"c{count:07d}"
    tell("llm.started", **scope, call_id=call, **model, max_tokens=4096)
    tell("llm.completed", **scope, call_id=call, **model, **usage, duration_s=rng.expovariate(0.5))
    for _ in range(3):
        call, tool = f"t{count:07d}", rng.choice(("read_file", "write_file", "shell"))
        tell("tool.started", **scope, call_id=call, tool=tool, component="adapter")
        tell("tool.completed", **scope, call_id=call, tool=tool, success=True, duration_s=rng.random())
    call = f"s{count:07d}"
    tell("service.started", **scope, call_id=call, service="registry", operation="get the task")
    tell("service.completed", **scope, call_id=call, service="registry", operation="get", duration_s=0.02)
    tell("metric.observed", name="queue_depth", kind="gauge", value=rng.randrange(50), labels={"queue": "main"})
    if count % 50 < 12:
        tell("error", **scope, error_type="ValueError", message=f"check {count % 40} failed", where="a.py")
        tell("agent.started", **scope)
        tell("agent.completed", **scope, success=True)
"""


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmRSS"))


def wait_for(condition: object, what: str) -> object:
    """Wait until a condition gives something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := condition():  # type: ignore[operator]  # a benchmark's own
            return found
        time.sleep(0.1)
    sys.exit(f"waited in vain for {what}")


class Watched:
    """A recorded program and the app that watches it."""

    def __init__(self, folder: Path, marks: list[int]) -> None:
        (folder / "program.py").write_text(PROGRAM)
        argv = [*RUNWATCH, "run", "--headless", "--quiet", "--", sys.executable, "program.py", *map(str, marks)]
        self.run = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL)
        self.folder = folder
        self.dir = Path(str(wait_for(lambda: next(folder.glob("runs/*/*/metrics.json"), None), "the run"))).parent

    def events(self) -> int:
        """Return how many events the recorder has folded and flushed."""
        return int(json.loads((self.dir / "metrics.json").read_bytes())["journal"]["events"])

    def recorder(self) -> int:
        """Return the pid of the recorder."""
        return holders(self.dir / ".lock")[Role.RECORDER]


def main() -> int:
    """Print a line a mark; 1 when memory is not flat."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    marks = [most // 10, most // 2, most]
    rows: list[tuple[int, float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Watched(folder, marks)
        with Terminal([*RUNWATCH, "watch", str(run.dir)]) as app:
            for mark in marks:
                wait_for((folder / f"reached-{mark}").exists, f"{mark:,} events")
                wait_for(lambda least=mark: run.events() >= least, "the recorder")
                app.rest()
                row = mark, memory_mb(run.recorder()), app.memory_mb("VmRSS")
                rows.append(row)
                print(f"{row[0]:>9,} events: recorder {row[1]:6.1f} MB, app {row[2]:6.1f} MB", flush=True)
                (folder / f"go-{mark}").touch()
            started = time.monotonic()
            run.run.wait()
            print(f"finalized {time.monotonic() - started:.1f} s after the last event, exit code {run.run.returncode}")
    missed = False
    for (who, most_mb), first, last in zip(TARGET_GROWTH_MB.items(), rows[0][1:], rows[-1][1:], strict=True):
        missed |= last - first > most_mb
        print(
            f"{who}: {last - first:.1f} MB more than at the first mark, {last / first - 1:.0%} (at most {most_mb:g} MB)"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
