"""Measures one ``emit`` beside a stdlib FileHandler with a JSON formatter, and beside json.dumps with one write.

Must not need anything but runwatch. `python benchmarks/emit.py [events]` prints CPU time an event, the ratios, p50 and
p99 of the wall clock, events a second, and what four processes writing at once leave; it ends with 1 when the ratio is
missed, an event is lost, or an absolute target is missed on a machine that is quiet enough to tell.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runwatch.journal.create import create_run
from runwatch.sdk.core import Emitter

MAX_RATIO = 0.6
MAX_P50_US, MAX_P99_US = 10.0, 200.0
MIN_PER_S = 50_000
WRITERS = 4
QUIET_FLOOR_US = 6.5
"""json.dumps and one write take less than this on a quiet machine."""

FIELDS = {"tool": "read_file", "success": True, "duration_s": 0.123456}
_CHILD = """
import sys
from pathlib import Path
from runwatch.journal.paths import RunPaths
from runwatch.sdk.core import Emitter
emitter = Emitter(RunPaths(Path(sys.argv[1])))
sys.stdin.readline()
fields = [{"tool": "t", "call_id": f"{sys.argv[2]}-{number}"} for number in range(int(sys.argv[3]))]
print(sum(emitter.emit("tool.completed", each) for each in fields))
"""


class JsonFormatter(logging.Formatter):
    """What programs write who want their log lines as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the same fields as an event of ours."""
        return json.dumps(
            {
                "type": record.getMessage(),
                "ts": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "writer": "5f2c9a01",
                "pid": record.process,
                "level": record.levelname,
                "logger": record.name,
                **record.__dict__["fields"],
            }
        )


def contenders(folder: Path, emitter: Emitter) -> dict[str, Callable[[], object]]:
    """Return what is measured, each writing one event."""
    handler = logging.FileHandler(folder / "stdlib.log")
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("bench")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    fd = os.open(folder / "floor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    envelope = {"type": "tool.completed", "ts": "2026-11-21T01:31:55.123456Z", "writer": "5f2c9a01", "seq": 1, "pid": 1}
    return {
        "runwatch emit": lambda: emitter.emit("tool.completed", FIELDS),
        "stdlib FileHandler + JSON": lambda: logger.info("tool.completed", extra={"fields": FIELDS}),
        "floor: json.dumps + write": lambda: os.write(fd, (json.dumps({**envelope, **FIELDS}) + "\n").encode()),
    }


def cpu_us(works: dict[str, Callable[[], object]], events: int, rounds: int = 7) -> dict[str, float]:
    """Return CPU microseconds an event, threads included: the best of some rounds in turn."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            for _ in range(events):
                work()
            best[name] = min(best[name], (time.process_time() - started) / events * 1e6)
    return best


def wall_us(work: Callable[[], object], events: int) -> list[float]:
    """Return the wall time of each of some events, in microseconds, sorted."""
    times = []
    clock = time.perf_counter_ns
    for _ in range(events):
        started = clock()
        work()
        times.append((clock() - started) / 1000)
    return sorted(times)


def several_writers(folder: Path, events: int) -> tuple[int, int]:
    """Return how many events four processes were told are written, and how many whole ones the journal has."""
    paths = create_run(folder, "writers", now=datetime.now(UTC))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(paths.root), str(number), str(events)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(WRITERS)
    ]
    answers = [child.communicate(b"go\n")[0] for child in children]
    lines = paths.journal.read_bytes().splitlines()
    return sum(map(int, answers)), len({json.loads(line)["call_id"] for line in lines})


def main() -> int:
    """Measure, print, judge."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        emitter = Emitter(create_run(folder, "bench", now=datetime.now(UTC)))
        works = contenders(folder, emitter)
        found = cpu_us(works, events)
        times = wall_us(works["runwatch emit"], events * 5)
        acknowledged, read = several_writers(folder, events)
        emitter.close()
    ours, stdlib, floor = found.values()
    p50, p99 = statistics.median(times), times[len(times) * 99 // 100]
    per_s = len(times) / sum(times) * 1e6
    for label, cost in found.items():
        print(f"{label:28}{cost:8.2f} µs CPU an event")
    print(f"{'ratio to stdlib':28}{ours / stdlib:8.2f}  (target ≤ {MAX_RATIO}); to the floor {ours / floor:.2f}")
    print(f"{'wall clock':28}{p50:8.2f} µs p50, {p99:.1f} µs p99 (targets ≤ {MAX_P50_US:.0f}, ≤ {MAX_P99_US:.0f})")
    print(f"{'from one process':28}{per_s:8,.0f} events/s (target ≥ {MIN_PER_S:,})")
    print(f"{f'{WRITERS} writer processes':28}{acknowledged:8,} acknowledged, {read:,} in the journal")
    quiet = floor <= QUIET_FLOOR_US
    failed = ours / stdlib > MAX_RATIO or acknowledged != read or read != WRITERS * events
    if quiet:
        failed = failed or p50 > MAX_P50_US or p99 > MAX_P99_US or per_s < MIN_PER_S
    else:
        print(f"the floor alone takes {floor:.1f} µs: too busy a machine to judge absolute times")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
