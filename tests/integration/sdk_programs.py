"""Programs that use the SDK, run for real in folders of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from integration.recorded import PATIENCE_S, run_dir, wait_for


class Program:
    """A program in a folder, and the run that it leaves."""

    def __init__(self, cwd: Path, code: str, *, env: dict[str, str] | None = None) -> None:
        self.cwd = cwd
        self.path = cwd / "program.py"
        self.path.write_text("import os, signal, sys, time\nimport runwatch\n" + textwrap.dedent(code))
        self.env = {**os.environ, **(env or {})}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [sys.executable, str(self.path), *arguments],
            cwd=self.cwd, env=self.env, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def start(self, **options: Any) -> subprocess.Popen[str]:
        """Start it, and wait until it prints a line."""
        process = subprocess.Popen(
            [sys.executable, str(self.path)],
            cwd=self.cwd, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    @property
    def dir(self) -> Path:
        """The directory of the only run."""
        return run_dir(self.cwd)

    def finalized(self) -> dict[str, Any]:
        """Wait until the run is finalized and return its metadata."""
        wait_for(lambda: self._state().get("done", {}).get("done"), f"the finalizer of {self.dir}")
        return self.json("metadata.json")

    def _state(self) -> dict[str, Any]:
        path = self.dir / "finalize.json"
        stages: dict[str, Any] = json.loads(path.read_bytes())["stages"] if path.exists() else {}
        return stages

    def json(self, name: str) -> Any:
        """Return a JSON file of the run."""
        return json.loads((self.dir / name).read_bytes())

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The events of these types; without any, all. A torn line is none."""
        found = []
        for line in (self.dir / "events.jsonl").read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if not types or event["type"] in types:
                found.append(event)
        return found
