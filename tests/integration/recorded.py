"""Recording real commands in real folders, for the integration tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNWATCH = [sys.executable, "-m", "runwatch.cli.main"]
PATIENCE_S = 60.0
"""How long a condition may take on the slowest machine."""


def runwatch(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Call runwatch in ``cwd``; stdin is empty unless given."""
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if options["stdin"] is None:
        del options["stdin"]
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run(
        [*RUNWATCH, *arguments],
        cwd=cwd,
        capture_output=True,
        timeout=PATIENCE_S,
        env=environment,
        check=False,
        **options,
    )


def record(*command: str, cwd: Path, options: tuple[str, ...] = (), **more: Any) -> Recorded:
    """Record a command without the app and return what came of it."""
    done = runwatch("run", "--headless", *options, "--", *command, cwd=cwd, **more)
    return Recorded(cwd, done)


def start(*command: str, cwd: Path, options: tuple[str, ...] = (), **more: Any) -> subprocess.Popen[bytes]:
    """Start recording a command without the app."""
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(
        [*RUNWATCH, "run", "--headless", *options, "--", *command],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
    )  # fmt: skip


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until ``condition`` gives something true, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}")


def run_dir(cwd: Path) -> Path:
    """Return the only run below ``cwd/runs``."""
    found = [path.parent for path in cwd.glob("runs/*/*/events.jsonl")]
    assert len(found) == 1, found
    return found[0]


@dataclass
class Recorded:
    """A recorded command and its run directory."""

    cwd: Path
    done: subprocess.CompletedProcess[bytes]

    @property
    def dir(self) -> Path:
        """The run's directory."""
        return run_dir(self.cwd)

    def json(self, name: str) -> Any:
        """Return a JSON file of the run."""
        return json.loads((self.dir / name).read_bytes())

    def events(self) -> list[dict[str, Any]]:
        """Return the journal, read without any code of runwatch."""
        return [json.loads(line) for line in (self.dir / "events.jsonl").read_bytes().splitlines()]

    def event(self, type_name: str) -> dict[str, Any]:
        """Return the only event of a type."""
        found = [event for event in self.events() if event["type"] == type_name]
        assert len(found) == 1, found
        return found[0]

    def log(self, name: str) -> bytes:
        """Return a log."""
        return (self.dir / "logs" / name).read_bytes()


def git(*arguments: str, cwd: Path) -> str:
    """Run git and return its output."""
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True).stdout


def repository(path: Path) -> Path:
    """Make a repository with one commit on ``main``."""
    path.mkdir(parents=True, exist_ok=True)
    git("init", "-q", "-b", "main", cwd=path)
    (path / "a.txt").write_text("one\n")
    git("add", "a.txt", cwd=path)
    git("commit", "-qm", "first", cwd=path)
    return path
