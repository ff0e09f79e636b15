"""What recording costs the command: a CPU-bound one, and one that prints a gigabyte, without the app and as under it.

The command tells its own time: what the finalizer does after its end is not the command's.
`overhead.py BYTES` prints less.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from _processes import need

RUNS = 5
CLOCKED = """
import atexit, os, time
t = time.perf_counter()
atexit.register(lambda: open(os.environ["TOOK"], "w").write(str(time.perf_counter() - t)))
"""
BURN = CLOCKED + "for _ in range(1000): sum(range(200_000))"
PRINT = (
    CLOCKED
    + """
import sys
line = b'{"ts":"2026-11-21T01:31:55.123456Z","level":"info","component":"adapter","msg":"as logs have them"}\\n'
block = line * 1000
for _ in range(int(sys.argv[1]) // len(block)):
    view = memoryview(block)
    while view:
        view = view[os.write(1, view):]
"""
)


PRINT_IN_PARTS = """
import os, sys, time
took, files = 0.0, [os.environ["OUT"]]
if "RUNWATCH_RUN_DIR" in os.environ:
    files.append(os.environ["RUNWATCH_RUN_DIR"] + "/logs/stdout.log")
line = b'{"ts":"2026-11-21T01:31:55.123456Z","level":"info","component":"adapter","msg":"as logs have them"}\\n'
block = line * 1000
each = int(sys.argv[1]) // 4 // len(block)
for part in range(4):
    t = time.perf_counter()
    for _ in range(each):
        view = memoryview(block)
        while view:
            view = view[os.write(1, view):]
    took += time.perf_counter() - t
    while any(os.stat(file).st_blocks * 512 < each * len(block) for file in files):
        time.sleep(0.01)
    for file in files:
        os.truncate(file, 0)
open(os.environ["TOOK"], "w").write(str(took))
"""
"""Writes no file longer than a quarter: a virtual machine that gave free memory back pays more for the first use of the
next gigabyte than for all copying, and who writes two files needs two: `tee copy > file` is three times as slow then.
"""


class Bench:
    """A folder to record in, and the time that commands took there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def took(self, argv: Sequence[str], out: Path | None = None) -> float:
        """Run a command and return the seconds that the program in it measured."""
        took = self.folder / "took"
        took.unlink(missing_ok=True)  # else a program that failed would be given the time of the one before
        with open(out or os.devnull, "wb") as stdout:
            subprocess.run(
                argv,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                check=True,
                env={**os.environ, "TOOK": str(took), "OUT": str(out)},
            )
        shutil.rmtree(self.folder / "runs", ignore_errors=True)
        return float(took.read_text())

    def compare(
        self, title: str, ours: Sequence[str], peer: Sequence[str], target: float, out: Path | None = None
    ) -> bool:
        """Run both in turn, print the median ratio, return whether the target is met."""
        pairs = [(self.took(ours, out), self.took(peer, out)) for _ in range(RUNS + 1)][1:]
        ratio = statistics.median(a / b for a, b in pairs)
        recorded, bare = (statistics.median(values) for values in zip(*pairs, strict=True))
        verdict = "ok" if ratio <= target else "MISSED"
        print(
            f"{title}: recorded {recorded:.3f} s, peer {bare:.3f} s, ratio {ratio:.3f} (target ≤ {target:g}) {verdict}"
        )
        return ratio <= target


def main() -> int:
    """Print the ratios; 1 when one is missed."""
    size = sys.argv[1] if len(sys.argv) > 1 else str(1 << 30)
    python = sys.executable
    runwatch = f"{python} -m runwatch.cli.main"
    headless = [*runwatch.split(), "run", "--headless", "--quiet", "--framework", "bench", "--"]
    with tempfile.TemporaryDirectory(prefix="runwatch-bench-") as name:
        bench = Bench(Path(name))
        program = bench.folder / "print.py"
        program.write_text(PRINT)
        parts = bench.folder / "print_in_parts.py"
        parts.write_text(PRINT_IN_PARTS)
        out = bench.folder / "out"
        printer, in_parts = f"{python} {program} {size}", f"{python} {parts} {size}"
        detached = f"{runwatch} run --detach --framework bench -- {printer} 2>/dev/null; {runwatch} wait"
        mib = int(size) >> 20
        met = [
            bench.compare("CPU-bound command", [*headless, python, "-c", BURN], [python, "-c", BURN], 1.03),
            bench.compare(
                f"{mib} MiB printed, without the app",
                [*headless, *in_parts.split()], ["sh", "-c", f"{in_parts} | {need('cat')}"], 2.0, out,
            ),
            bench.compare(
                f"{mib} MiB printed, as under the app",
                ["sh", "-c", detached], [need("script"), "-qc", printer, str(out)], 2.0,
            ),
        ]  # fmt: skip
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
