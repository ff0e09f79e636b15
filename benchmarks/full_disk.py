"""Measures ``emit`` on a disk that is full beside the same on one with room, and what a stdlib FileHandler does there.

Must be allowed to mount a small file system. `python benchmarks/full_disk.py [events]` prints CPU and wall time of an
event in both, and what was lost without a word; it ends with 1 when an event costs more than three times as much CPU
on a full disk, when the count of the lost is wrong, or when nothing can be mounted.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from runwatch.journal.create import create_run
from runwatch.journal.losses import read_losses
from runwatch.journal.reserve import set_aside
from runwatch.sdk.core import Emitter

MAX_RATIO = 3.0
"""A write that fails costs more than twice one that succeeds: Python makes an exception of it."""
ROUNDS = 5
FIELDS = {"tool": "read_file", "success": True, "duration_s": 0.123456}


def fill(ballast: Path) -> None:
    """Take every byte of a disk."""
    fd = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for size in (1 << 20, 4096, 1):
        with suppress(OSError):
            while os.write(fd, bytes(size)) == size:
                pass
    os.close(fd)


def cost(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Return CPU and wall time of one call in microseconds: the best of some rounds."""
    best_cpu = best_wall = float("inf")
    for _ in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(times // ROUNDS):
            work()
        best_cpu = min(best_cpu, (time.process_time() - cpu) / (times // ROUNDS) * 1e6)
        best_wall = min(best_wall, (time.perf_counter() - wall) / (times // ROUNDS) * 1e6)
    return best_cpu, best_wall


def peer(folder: Path, times: int) -> int:
    """Return how many lines a FileHandler loses on a full disk."""
    path = folder / "stdlib.log"
    handler = logging.FileHandler(path)
    logger = logging.getLogger("peer")
    logger.addHandler(handler)
    logger.propagate = False
    logging.raiseExceptions = False
    for number in range(times):
        logger.warning("%06d", number)
    with suppress(OSError):
        handler.close()
    return times - path.read_bytes().count(b"\n")


def main() -> int:
    """Measure, print, judge."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        size = f"size={16 + events // 1000}m"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", name], check=False).returncode:
            print("mount is not permitted here: nothing was measured")
            return 1
        try:
            paths = create_run(Path(name) / "runs", "bench", now=datetime.now(UTC))
            set_aside(paths)
            emitter = Emitter(paths)
            room = cost(lambda: emitter.emit("tool.completed", FIELDS), events)
            fill(Path(name) / "ballast")
            full = cost(lambda: emitter.emit("tool.completed", FIELDS), events)
            lost = sum(loss.events for loss in read_losses(paths.losses))
            silent = peer(Path(name), 20_000)
            emitter.close()
        finally:
            subprocess.run(["umount", "-l", name], check=True)
    written = events - lost  # a few fit into the last page
    print(f"{'with room':24}{room[0]:8.2f} µs CPU an event, {room[1]:.2f} µs")
    print(f"{'on a full disk':24}{full[0]:8.2f} µs CPU an event, {full[1]:.2f} µs")
    print(f"{'ratio of CPU':24}{full[0] / room[0]:8.2f}  (target ≤ {MAX_RATIO:.0f})")
    print(f"{'lost, and counted':24}{lost:8,} of {events:,}; {written} fitted into the last page")
    print(f"{'a stdlib FileHandler':24}{silent:8,} of 20,000 lost without a word")
    return int(full[0] / room[0] > MAX_RATIO or not 0 <= written < 50)


if __name__ == "__main__":
    sys.exit(main())
