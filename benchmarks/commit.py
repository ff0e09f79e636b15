"""The commit of a run's five files beside `git add` + `git commit --only` of five, in a small and a large repository.

Both in turn in one repository, wall and CPU of all processes. How long the user is locked out of the index is watched
from outside, by a process that keeps a core busy: in rounds of its own. `commit.py ROUNDS` takes other than 15 rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from _processes import need

from runwatch.finalize.commit import commit_run

NAMES = ("metadata.json", "metrics.json", "commit.txt", "logs_summary.txt", "summary.md")
ROUNDS = 15
TARGETS_MS = {100: 50.0, 50_000: 100.0}
LOCKED_MS = 10.0
WATCH = """
import os, sys, time
lock, seen, since = sys.argv[1], 0.0, None
print("ready", flush=True)
os.set_blocking(0, False)
while True:
    now = time.perf_counter()
    if os.access(lock, os.F_OK):
        since = since or now
    elif since is not None:
        seen, since = max(seen, now - since), None
    try:
        if os.read(0, 1) is not None:
            break
    except BlockingIOError:
        pass
print(seen)
"""


class Took(NamedTuple):
    """One commit: either timed or watched."""

    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    locked_ms: float = 0.0


Measure = Callable[[Path, Callable[[], object]], Took]


def main() -> None:
    """Measure both repositories; fail where a target is missed."""
    git, rounds = need("git"), int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    met = True
    with tempfile.TemporaryDirectory() as folder:
        for files, target_ms in TARGETS_MS.items():
            repo = made(Path(folder) / str(files), files, git)
            timed, watched = both(repo, git, rounds, timing), both(repo, git, rounds, watching)
            met = told(files, target_ms, timed, watched) and met
    sys.exit(0 if met else 1)


def both(repo: Path, git: str, rounds: int, measure: Measure) -> dict[str, list[Took]]:
    """Commit ours and by hand in turn, after one uncounted round: the first one imports GitPython."""
    found: dict[str, list[Took]] = {"ours": [], "git": []}
    for number in range(rounds + 1):
        name = f"{measure.__name__}_{number}"
        run, peer = five(repo, f"runs/f/{name}"), five(repo, f"peer/{name}")
        ours = measure(repo, partial(commit_run, run, NAMES, f"runwatch: f/{name} completed\n"))
        theirs = measure(repo, partial(by_hand, git, repo, peer))
        if number:
            found["ours"].append(ours)
            found["git"].append(theirs)
    return found


def made(repo: Path, files: int, git: str) -> Path:
    """Make a repository of so many files, a hundred in each folder, packed as after a clone."""
    for number in range(files):
        path = repo / f"part_{number // 100:03}" / f"file_{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")
    for command in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "A Bench"),
        ("config", "user.email", "bench@example.invalid"),
        ("config", "gc.auto", "0"),
        ("add", "."),
        ("commit", "-qm", "all"),
        ("repack", "-adq"),
    ):
        subprocess.run((git, *command), cwd=repo, check=True)
    return repo


def five(repo: Path, name: str) -> Path:
    """Write five files as a run leaves them."""
    folder = repo / name
    folder.mkdir(parents=True)
    for each in NAMES:
        (folder / each).write_text(f"{each} of {name}\n" * 40)
    return folder


def by_hand(git: str, repo: Path, folder: Path) -> None:
    """Commit five files as a person would."""
    paths = [str(folder.relative_to(repo) / name) for name in NAMES]
    subprocess.run((git, "add", "--", *paths), cwd=repo, check=True)
    subprocess.run((git, "commit", "-q", "-m", folder.name, "--only", "--", *paths), cwd=repo, check=True)


def timing(repo: Path, act: Callable[[], object]) -> Took:
    """Do something once, with a clock."""
    before, start = os.times(), time.perf_counter()
    act()
    wall, after = time.perf_counter() - start, os.times()
    return Took(wall_ms=wall * 1e3, cpu_ms=(sum(after[:4]) - sum(before[:4])) * 1e3)


def watching(repo: Path, act: Callable[[], object]) -> Took:
    """Do something once, with somebody who looks at the lock."""
    argv = (sys.executable, "-SIc", WATCH, str(repo / ".git/index.lock"))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        act()
        out, _ = watcher.communicate(b".")
    return Took(locked_ms=float(out) * 1e3)


def told(files: int, target_ms: float, timed: dict[str, list[Took]], watched: dict[str, list[Took]]) -> bool:
    """Print what was found; return whether the targets are met."""
    for name in timed:
        wall, cpu = [took.wall_ms for took in timed[name]], [took.cpu_ms for took in timed[name]]
        locked = [took.locked_ms for took in watched[name]]
        print(
            f"{files:>6} files, {name:>4}: wall min {min(wall):.0f}, median {statistics.median(wall):.0f} ms; "
            f"CPU mean {statistics.mean(cpu):.0f} ms; index locked median {statistics.median(locked):.1f}, "
            f"longest {max(locked):.1f} ms"
        )
    ratio = statistics.median(a.wall_ms / b.wall_ms for a, b in zip(timed["ours"], timed["git"], strict=True))
    wall_ms = statistics.median(took.wall_ms for took in timed["ours"])
    locked_ms = statistics.median(took.locked_ms for took in watched["ours"])
    met = wall_ms <= target_ms and locked_ms <= LOCKED_MS
    print(
        f"{files:>6} files: ratio {ratio:.2f}, {wall_ms:.0f} ms (target ≤ {target_ms:.0f}), "
        f"locked {locked_ms:.1f} ms (target ≤ {LOCKED_MS:.0f}) {'ok' if met else 'MISSED'}"
    )
    return met


if __name__ == "__main__":
    main()
