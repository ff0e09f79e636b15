"""Takes the pictures of the README: the app, watching a demo that runs while they are taken.

Run it with `make pictures`; needs the extra `demo`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runwatch.journal.paths import RunPaths
from runwatch.tui.app import RunwatchApp

FOLDER = Path(__file__).parent / "pictures"
SIZE = (132, 38)
MOMENT_S = 13.0
"""How far the demo is when the picture is taken: in the middle of its repair."""
PATIENCE_S = 60.0


def main() -> None:
    """Record a demo and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="runwatch-pictures-") as folder:
        scratch = Path(folder) / "demo"
        # Without a terminal the demo hurries; a person's pace is what the picture should show.
        demo = subprocess.Popen(
            [sys.executable, "-P", "-m", "runwatch.cli.main", "demo", "--headless", "--keep", str(scratch)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "RUNWATCH_DEMO_PACE": "1"},
        )  # fmt: skip
        run = _the_run(scratch)
        asyncio.run(_take(run, "runwatch-dark", FOLDER / "app.svg", MOMENT_S))
        demo.wait()
        asyncio.run(_take(run, "runwatch-dark", FOLDER / "end.svg", 2.0))


def _the_run(scratch: Path) -> Path:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for journal in scratch.glob("runs/*/*/events.jsonl"):
            return RunPaths(journal.parent).root
        time.sleep(0.1)
    raise SystemExit("the demo did not start")


async def _take(run: Path, theme: str, picture: Path, after_s: float) -> None:
    app = RunwatchApp(run, mode="watch")
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        end = time.monotonic() + after_s
        while time.monotonic() < end:
            await pilot.pause(0.1)
        picture.write_text(app.export_screenshot(title="runwatch"), encoding="utf-8")
    print(f"{picture.name} written")


if __name__ == "__main__":
    main()
