"""What a recorder is told when it is started: by its keeper, or by itself where it begins again.

Must not act on any of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def parse() -> argparse.Namespace:
    """Return the options of this process."""
    parser = argparse.ArgumentParser(prog="runwatch.record.recorder")
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--command", type=int, default=0)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--talk", action="store_true")
    parser.add_argument("--held", type=int, default=-1, help="descriptor of the run directory")
    parser.add_argument("--began", type=Path, help="where the run lay when its owner started")
    parser.add_argument("--end", help="how it ended, said to a recorder that began again")
    parser.add_argument("--repository", help="which repository it lay in, as following.repository_id says it")
    parser.add_argument("--said", type=int, default=0, help="up to where it told of the journal before that")
    options = parser.parse_args()
    options.began = options.began or options.run_dir
    return options
