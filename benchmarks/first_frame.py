"""How soon `runwatch watch` shows its first frame, and the run's log in it, beside an empty Textual app.

Both are started in turn. The first frame is the main screen: header, panes, keys; what is read of the run comes next.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from _terminal import Terminal

RUNS = 15
TARGET = 1.5
Took = tuple[float, float]
EMPTY = [sys.executable, str(Path(__file__).with_name("_viewer.py")), "empty"]


def main() -> int:
    """Print the ratio; 1 when it is missed."""
    runwatch = [sys.executable, "-m", "runwatch.cli.main"]
    with tempfile.TemporaryDirectory(prefix="runwatch-bench-") as folder:
        os.chdir(folder)
        subprocess.run(
            [*runwatch, "run", "--headless", "--quiet", "--", "seq", "1000"], check=True, stdout=subprocess.DEVNULL
        )
        taken = [(_empty(), *_watch([*runwatch, "watch"])) for _ in range(RUNS + 1)][1:]
    empty, frame, rows = zip(*taken, strict=True)
    ratio = _median(frame, empty, 0)
    verdict = "ok" if ratio <= TARGET else "MISSED"
    for what, ours, told in (("first frame", frame, f" (target ≤ {TARGET}) {verdict}"), ("with its log", rows, "")):
        print(
            f"{what}: watch {statistics.median(each[0] for each in ours):.3f} s, "
            f"empty app {statistics.median(each[0] for each in empty):.3f} s, "
            f"ratio {_median(ours, empty, 0):.2f}{told}; in CPU time {_median(ours, empty, 1):.2f}"
        )
    return 0 if ratio <= TARGET else 1


def _median(ours: Sequence[Took], empty: Sequence[Took], field: int) -> float:
    return statistics.median(a[field] / b[field] for a, b in zip(ours, empty, strict=True))


def _empty() -> Took:
    with Terminal(EMPTY) as app:
        return _until(app, b"empty-app-ready")


def _watch(argv: list[str]) -> tuple[Took, Took]:
    with Terminal(argv) as app:
        # "Steps" stands in the frame of the first pane: the whole screen is drawn at once. Then the log's last line.
        return _until(app, b"Steps"), _until(app, b"run completed")


def _until(app: Terminal, text: bytes) -> Took:
    """Return the seconds until ``text`` came, and the CPU seconds spent by then."""
    return app.wait(text)[0] - app.started, app.cpu_s()


if __name__ == "__main__":
    sys.exit(main())
