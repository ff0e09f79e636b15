"""Timing whole processes: ours and a peer in turn, in one run, so that their ratio survives a busy machine.

Not a benchmark itself: the scripts beside it use it.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Without byte code on disk, every start would compile this project but not its installed peers; and a program that
# prints unbuffered measures itself.
for _name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
    os.environ.pop(_name, None)


class Timing(NamedTuple):
    """One process, all its children that were waited for included."""

    wall_s: float
    cpu_s: float


def need(program: str) -> str:
    """Return the path of a peer's program; a missing peer fails the benchmark."""
    found = shutil.which(program)
    if found is None:
        sys.exit(f"missing peer: {program} is not installed")
    return found


def once(argv: Sequence[str], cwd: Path | None = None, stdout: Path | None = None) -> Timing:
    """Run a command to its end and time it; its output goes to ``stdout`` or nowhere. A failing command fails us."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(stdout or os.devnull, "wb") as out:
        start = time.perf_counter()
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, check=False)
        wall = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{argv}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def in_turn(commands: dict[str, Sequence[str]], runs: int, **options: Path) -> dict[str, list[Timing]]:
    """Run the commands A B A B …, after one uncounted round."""
    found: dict[str, list[Timing]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, argv in commands.items():
            timing = once(argv, **options)
            if number:
                found[name].append(timing)
    return found


def report(
    title: str, found: dict[str, list[Timing]], ours: str, peer: str, target: float, *, cpu: bool = False
) -> bool:
    """Print medians and the median of the ratios pair by pair; return whether the target is met."""
    values = {name: [each.cpu_s if cpu else each.wall_s for each in timings] for name, timings in found.items()}
    ratio = statistics.median(a / b for a, b in zip(values[ours], values[peer], strict=True))
    unit = "CPU s" if cpu else "s"
    print(
        f"{title}: {ours} {statistics.median(values[ours]):.3f} {unit}, "
        f"{peer} {statistics.median(values[peer]):.3f} {unit}, "
        f"ratio {ratio:.2f} (target ≤ {target:g}) {'ok' if ratio <= target else 'MISSED'}"
    )
    return ratio <= target
