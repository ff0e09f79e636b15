"""What recording costs the command: a CPU-bound one, and one that prints a gigabyte, without the app and under a terminal."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from _processes import in_turn, need, report

RUNS = 5
BURN = "import time; t = time.process_time()\nwhile time.process_time() - t < 3: sum(range(1000))"
PRINT = """
import os, sys
line = b'{"ts":"2026-11-21T01:31:55.123456Z","level":"info","component":"adapter","msg":"a line of about a hundred and fifty bytes, as logs have them"}\\n'
block = line * 1000
for _ in range(int(sys.argv[1]) // len(block)):
    view = memoryview(block)
    while view:
        view = view[os.write(1, view):]
"""


def main() -> int:
    """Print the ratios; 1 when one is missed."""
    size = sys.argv[1] if len(sys.argv) > 1 else str(1 << 30)
    python, script = sys.executable, need("script")
    run = [python, "-m", "runwatch.cli.main", "run", "--headless", "--quiet", "--framework", "bench", "--"]
    folder = Path(tempfile.mkdtemp(prefix="runwatch-bench-"))
    try:
        burn = in_turn({"recorded": [*run, python, "-c", BURN], "bare": [python, "-c", BURN]}, RUNS, cwd=folder)
        printer = shlex.join([python, "-c", PRINT, size])
        shutil.rmtree(folder / "runs")
        ours, peer = shlex.join(run) + " " + printer, printer
        out = folder / "out"
        big = in_turn(
            {
                "recorded": ["sh", "-c", f"{ours} > {out}; rm -rf runs"],
                "cat": ["sh", "-c", f"{peer} | {need('cat')} > {out}"],
            },
            RUNS,
            cwd=folder,
        )
        detached = (
            f"{python} -m runwatch.cli.main run --detach --framework bench -- {printer} 2>/dev/null && "
            f"{python} -m runwatch.cli.main wait; rm -rf runs"
        )
        under = in_turn(
            {"under the app": ["sh", "-c", detached], "script": [script, "-qc", printer, str(out)]}, RUNS, cwd=folder
        )
        met = [
            report("CPU-bound command", burn, "recorded", "bare", 1.03),
            report(f"{int(size) >> 20} MiB printed, without the app", big, "recorded", "cat", 2.0),
            report(f"{int(size) >> 20} MiB printed, as under the app", under, "under the app", "script", 2.0),
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
