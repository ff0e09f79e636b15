"""What a run's archive costs: at the end, after its closed steps were archived ahead; ahead itself; of an open file.

`tar czf` of the same folder is the peer, in the same run. Logs are made of blocks that repeat at a distance of many
megabytes, which no gzip can see (its window is 32 KiB). `archive.py [CLOSED_BYTES [OPEN_BYTES]]`; by default 2 GiB of
closed logs in 48 files, two thirds of them JSON, and 1 GiB in one file that never closed. For 10 GiB in that one:
`archive.py 2147483648 10737418240`, which needs 25 GiB of disk.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from _processes import need

from runwatch.finalize import ahead, archive
from runwatch.finalize.stages import Finalizer
from runwatch.finalize.state import Outcome
from runwatch.journal.create import create_run
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter
from runwatch.settings import Settings

FILES = 48
BLOCKS, BLOCK_BYTES = 12, 4 << 20
ENDS = 5
LINES_PER_S = 20_000


class Logs:
    """Deterministic log text: the same bytes for the same sizes."""

    def __init__(self) -> None:
        self._random = random.Random(20261121)
        self.json = [self._block(self._json_line) for _ in range(BLOCKS)]
        self.text = [self._block(self._text_line) for _ in range(BLOCKS)]
        first = self.json[0]
        self.line_bytes = len(first) / first.count(b"\n")
        """Mean length of a JSON line."""

    def write(self, path: Path, size: int, *, as_json: bool) -> None:
        """Write a file of ``size`` bytes."""
        blocks = self.json if as_json else self.text
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            while size > 0:
                size -= file.write(self._random.choice(blocks)[:size])

    def _block(self, line: Callable[[int], str]) -> bytes:
        lines, size = [], 0
        while size < BLOCK_BYTES:
            lines.append(line(len(lines)))
            size += len(lines[-1])
        return "".join(lines).encode()

    def _json_line(self, number: int) -> str:
        chosen = self._random
        level = chosen.choice(("debug", "info", "info", "info", "warn"))
        return (
            f'{{"ts":"2026-11-21T01:{number // 600 % 60:02d}:{number // 10 % 60:02d}.{chosen.randrange(10**6):06d}Z",'
            f'"level":"{level}","component":"adapter","logger":"calls","msg":"answer {chosen.getrandbits(32):08x} of '
            f'{chosen.randrange(4000)} tokens in {chosen.randrange(90000)} ms","step":{number % 7},'
            f'"request_id":"{chosen.getrandbits(48):012x}"}}\n'
        )

    def _text_line(self, number: int) -> str:
        chosen = self._random
        words = " ".join(chosen.choice(_WORDS) for _ in range(chosen.randrange(3, 12)))
        return f"[{number:07d}] {words} ({chosen.randrange(10**6)} of {chosen.getrandbits(24):06x})\n"


_WORDS = re.split(
    " ",
    "collected compiling module test passed failed retry waiting for service health check timeout connection opened "
    "closed reading writing file src tests build package version resolved dependency warning deprecated function call "
    "returned none expected actual value assertion error traceback line in",
)


def make_run(root: Path, steps: int) -> RunPaths:
    """Return a run with the events of ``steps`` steps, in a repository."""
    git = ["git", "-c", "user.name=b", "-c", "user.email=b@b", "-C", str(root)]
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    paths = create_run(root / "runs", "bench", now=datetime.now(UTC))
    writer = EventWriter(paths)
    writer.emit("run.started", framework="bench", run_id=paths.run_id, cwd=str(root), schema=1)
    for step in range(1, steps + 1):
        writer.emit("step.started", step=step, name=f"step {step}")
        writer.emit("step.completed", step=step, status="success")
    writer.close()
    return paths


def archive_ahead(paths: RunPaths, steps: int) -> float:
    """Let the helper take in all it can; return the CPU seconds that it used."""
    code = (
        "import sys, time; from pathlib import Path; from runwatch.finalize.ahead import Ahead\n"
        "maker = Ahead(Path(sys.argv[1]))\n"
        "for step in range(1, int(sys.argv[2]) + 1): maker.close_step(step)\n"
        "while maker.work(): pass\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, str(paths.root), str(steps)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def settle(paths: RunPaths) -> None:
    """Make all logs as old as the helper wants them, and have the disk take them."""
    old = time.time() - 2 * ahead.SETTLED_S
    for path in paths.logs.rglob("*.log"):
        os.utime(path, (old, old))
    os.sync()


def closed(folder: Path, logs: Logs, size: int) -> bool:
    """Measure the end of a run whose steps were archived ahead; print; return whether the targets are met."""
    steps = FILES // 2
    paths = make_run(folder, steps)
    for number in range(FILES):
        name = ("stdout", "adapter")[number % 2]
        logs.write(paths.step_logs(number // 2 + 1) / f"{name}.log", size // FILES, as_json=number % 3 != 0)
    settle(paths)
    cpu = archive_ahead(paths, steps)
    os.sync()
    taken = (paths.root / "run.tar.gz.part").stat().st_size
    share = cpu / (size / logs.line_bytes / LINES_PER_S)
    ok = report("archived ahead, share of a core at 20,000 lines/s", share, 0.03, f"{cpu:.1f} s of CPU")

    peer_file = folder / "peer.tar.gz"
    ends: list[float] = []
    for number in range(ENDS):
        start = time.perf_counter()
        made = archive.create(paths.root, is_handed_over=True)
        written = time.perf_counter()
        if archive.confirm(paths.archive, paths.root) is None:
            sys.exit("the archive could not be confirmed")
        ends.append(time.perf_counter() - start)
        print(
            f"  end {number + 1}: written {written - start:.2f} s, verified {ends[-1]:.2f} s, {made.size_bytes} bytes"
        )
        rewind(paths, taken)
    start = time.perf_counter()
    subprocess.run([need("tar"), "czf", str(peer_file), "-C", str(paths.root), "logs"], check=True)
    peer = time.perf_counter() - start
    end = statistics.median(ends)
    print(f"  tar czf: {peer:.1f} s, {peer_file.stat().st_size} bytes")
    ok &= report("archive stage at the end, verified, s", end, 1.5)
    ok &= report("the same, share of tar czf's time", end / peer, 1 / 30)
    ok &= report("size, share of tar czf's", made.size_bytes / peer_file.stat().st_size, 1.2)
    os.sync()  # else the finalizer's fsync waits for what tar wrote
    took = finalize(paths, is_handed_over=True)
    ok &= report("whole finalizer, s", took["done"], 3.0, ", ".join(f"{name} {at:.2f}" for name, at in took.items()))
    return ok


def rewind(paths: RunPaths, size: int) -> None:
    """Put back what was there before the end."""
    part = paths.root / "run.tar.gz.part"
    paths.archive.rename(part)
    os.truncate(part, size)
    book = paths.root / "run.tar.gz.pieces"
    lines = book.read_bytes().splitlines(keepends=True)
    while f'"end_bytes":{size},'.encode() not in lines[-1]:
        lines.pop()
    book.write_bytes(b"".join(lines))


def finalize(paths: RunPaths, *, is_handed_over: bool) -> dict[str, float]:
    """Finalize and commit; return when each stage had ended, in seconds from the start."""
    ended: dict[str, float] = {}
    start = time.perf_counter()

    def on_stage(name: str, done: float) -> None:
        if done == 1.0:
            ended[name] = time.perf_counter() - start

    outcome = Outcome(status="completed", exit_code=0)
    state = Finalizer(paths, Settings(), outcome=outcome, on_stage=on_stage, is_handed_over=is_handed_over).run()
    failed = {name: stage.error for name, stage in state.stages.items() if not stage.done}
    if failed:
        sys.exit(f"stages failed: {failed}")
    return ended


def unclosed(folder: Path, logs: Logs, size: int) -> bool:
    """Measure the end of a run whose only log never closed and was not archived ahead at all."""
    paths = make_run(folder, 0)
    logs.write(paths.logs / "stdout.log", size, as_json=True)
    os.sync()
    took = finalize(paths, is_handed_over=False)
    note = f"archived, verified and committed after {took['done']:.1f} s"
    return report(f"{size / 2**30:g} GiB unclosed: status, metrics and summary, s", took["summary"], 10.0, note)


def report(title: str, value: float, target: float, note: str = "") -> bool:
    """Print a figure beside its target; return whether it is met."""
    verdict = "ok" if value <= target else "MISSED"
    print(f"{title}: {value:.3f} (target ≤ {target:.3g}) {verdict}" + (f"; {note}" if note else ""), flush=True)
    return value <= target


def main() -> int:
    """Print all figures; 1 when a target is missed."""
    closed_bytes = int(sys.argv[1]) if len(sys.argv) > 1 else 2 << 30
    open_bytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 30
    need("tar")
    need("gzip")
    logs = Logs()
    ok = True
    for act, size in ((closed, closed_bytes), (unclosed, open_bytes)):
        folder = Path(tempfile.mkdtemp(prefix="runwatch-bench-"))
        free = shutil.disk_usage(folder).free
        try:
            if free < size * 2.5:
                sys.exit(f"{folder} has {free} bytes free: {size * 2.5:.0f} are needed")
            ok &= act(folder, logs, size)
        finally:
            shutil.rmtree(folder)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
