"""How soon `runwatch watch` shows its first frame, beside an empty Textual app started in turn with it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _terminal import Terminal

RUNS = 9
TARGET = 1.5
EMPTY = [sys.executable, str(Path(__file__).with_name("_viewer.py")), "empty"]


def main() -> int:
    """Print the ratio; 1 when it is missed."""
    runwatch = [sys.executable, "-m", "runwatch.cli.main"]
    with tempfile.TemporaryDirectory(prefix="runwatch-bench-") as folder:
        os.chdir(folder)
        subprocess.run(
            [*runwatch, "run", "--headless", "--quiet", "--", "seq", "1000"], check=True, stdout=subprocess.DEVNULL
        )
        ours, empty = [], []
        for number in range(RUNS + 1):
            with Terminal(EMPTY) as app:
                empty.append(app.wait(b"empty-app-ready")[0] - app.started)
            with Terminal([*runwatch, "watch"]) as app:
                # "Steps" stands in the frame of the first pane: the whole screen is drawn at once.
                ours.append(app.wait(b"Steps")[0] - app.started)
            if number == 0:
                ours.clear()
                empty.clear()
    ratio = statistics.median(a / b for a, b in zip(ours, empty, strict=True))
    verdict = "ok" if ratio <= TARGET else "MISSED"
    print(
        f"first frame: watch {statistics.median(ours):.3f} s, empty app {statistics.median(empty):.3f} s, "
        f"ratio {ratio:.2f} (target ≤ {TARGET}) {verdict}"
    )
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
