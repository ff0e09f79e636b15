"""Kill the finalizer at many instants: before it writes, renames or removes a file, takes a lock, starts a git.

Called as ``sweep.py REPOSITORY SCRATCH ACKNOWLEDGED POINTS SEED``: a repository with one dead run, of which each point
gets a copy. Prints how many instants there are, and a line for each promise that does not hold.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import promises
from runwatch.finalize import stages
from runwatch.settings import Settings

TOUCHING = frozenset(
    {
        "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.utime", "os.link",
        "os.posix_spawn", "subprocess.Popen", "fcntl.lockf", "fcntl.fcntl",
    }
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def finalize(run: Path, kill_at: int = 0, count: Path | None = None) -> int:
    """Finalize in a child, killed before its ``kill_at``-th instant; return how it ended, as waitpid says."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    seen = 0

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        flags = arguments[2] if event == "open" else 0
        if event in TOUCHING or (isinstance(flags, int) and flags & WRITING):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        os.chdir(run.parents[2])
        sys.addaudithook(look)
        state = stages.run(run, Settings())
        failed = [f"{name}: {stage.error}" for name, stage in state.stages.items() if not stage.done]
        seen, total = 0, seen
        if count is not None:
            count.write_text(str(total))
        print(*(f"FAULT {each}" for each in failed), sep="\n", end="\n" if failed else "", flush=True)
        os._exit(len(failed))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent counts it
        print(f"FAULT {type(error).__name__}: {error}", flush=True)
        os._exit(99)


def point(repository: Path, copy: Path, acknowledged: list[str], instants: list[int]) -> list[str]:
    """Kill the finalizer of a copy at each of these instants in turn, then let it work; return the faults."""
    shutil.copytree(repository, copy, symlinks=True)
    (run,) = [path.parent for path in copy.glob("runs/*/*/events.jsonl")]
    before = promises.Work.of(copy)
    kills = [os.WTERMSIG(finalize(run, instant)) == signal.SIGKILL for instant in instants]
    found = [] if kills[0] else [f"the finalizer was not killed at instant {instants[0]}"]
    if finalize(run) != 0:
        found.append("the last finalizer failed")
    found += promises.faults(run, promises.Expected(copy, before, acknowledged, statuses=("crashed",), exact=True))
    files = promises.contents(run)
    if finalize(run) != 0 or promises.contents(run) != files:
        found.append("finalizing once more changed the run")
    shutil.rmtree(copy)
    return found


def main() -> int:
    """Sweep over the instants."""
    repository, scratch, file = map(Path, sys.argv[1:4])
    points, chance = int(sys.argv[4]), random.Random(int(sys.argv[5]))
    acknowledged = [line.split()[0] for line in file.read_text().splitlines() if not line.startswith("phase ")]
    whole = scratch / "whole"
    shutil.copytree(repository, whole, symlinks=True)
    (run,) = [path.parent for path in whole.glob("runs/*/*/events.jsonl")]
    finalize(run, count=scratch / "count")
    total = int((scratch / "count").read_text())
    step = max(1, total // points)
    faults = 0
    for number, first in enumerate(range(1 + chance.randrange(step), total, step)):
        instants = [first, *(chance.randrange(1, total) for _ in range(number % 3))]
        for fault in point(repository, scratch / f"p{first}", acknowledged, instants):
            faults += 1
            print(f"FAULT at {instants} of {total}: {fault}", flush=True)
    print(f"{total} instants, {len(range(1, total, step))} points, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
