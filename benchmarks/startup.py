"""How soon runwatch answers: ``--help``, ``import runwatch``, the first event, a whole run; beside a bare Python."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _processes import in_turn, report

RUNS = 15
# Multiples of `python -c pass`. On a quiet machine, where that takes 20 ms, they stand for 0.15 s and 0.10 s.
HELP_TARGET, IMPORT_TARGET = 7.5, 5.0
FIRST_EVENT = """
import os, runwatch
runwatch.RunLogger(guard=False).emit("error", {"message": "x"})
os._exit(0)
"""


def main() -> int:
    """Print the multiples; 1 when one is missed."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        found = in_turn(
            {
                "python": [python, "-c", "pass"],
                "help": [python, "-m", "runwatch.cli.main", "--help"],
                "import": [python, "-c", "import runwatch"],
                "first event": [python, "-c", FIRST_EVENT],
                "run": [python, "-m", "runwatch.cli.main", "run", "--headless", "--quiet", "--", "true"],
            },
            RUNS,
            cwd=Path(folder),
        )  # fmt: skip
    met = [
        report("--help", found, "help", "python", HELP_TARGET),
        report("import runwatch", found, "import", "python", IMPORT_TARGET),
        report("import and first event", found, "first event", "python", 7.5),
    ]
    report("a whole run of `true`, finalized", found, "run", "python", float("inf"))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
