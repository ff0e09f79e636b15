"""An open run of the testing process and what its journal holds, read without any code of runwatch but the fold."""

from __future__ import annotations

import json
from typing import Any

from runwatch.fold import Fold
from runwatch.fold.metrics import Metrics
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

    def metrics(self) -> Metrics:
        """What the fold makes of the journal."""
        fold = Fold()
        for line in self.paths.journal.read_bytes().splitlines(keepends=True):
            fold.feed_line(line)
        return fold.metrics(self.lines()[-1]["ts"])

    def log(self, name: str) -> list[dict[str, Any]]:
        """The lines of one log file."""
        return [json.loads(line) for line in (self.paths.logs / name).read_bytes().splitlines()]
