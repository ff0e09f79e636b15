"""An open run of the testing process and what its journal holds, read without any code of runwatch."""

from __future__ import annotations

import json
from typing import Any

from runwatch.sdk.core import Emitter


class Recording:
    """One open run."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        assert emitter.paths is not None
        self.paths = emitter.paths

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the journal."""
        return [json.loads(line) for line in self.paths.journal.read_bytes().splitlines()]

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The events of these types; without any, all behind ``run.started``."""
        return [line for line in self.lines()[1:] if not types or line["type"] in types]

    def types(self) -> list[str]:
        """The types of all events behind ``run.started``."""
        return [line["type"] for line in self.events()]

    def log(self, name: str) -> list[dict[str, Any]]:
        """The lines of one log file."""
        return [json.loads(line) for line in (self.paths.logs / name).read_bytes().splitlines()]
