"""What goes wrong in runwatch itself: said once on stderr and in ``run.log``, and counted.

Must not raise, and must not write an event: the journal may be what is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec

from runwatch.errors import RunwatchError
from runwatch.sdk.clock import WallClock

_MAX_KINDS = 100
"""More kinds of trouble than these are counted only."""


class Troubles:
    """The troubles of one run in this process."""

    def __init__(self, write_log: Callable[[bytes], None]) -> None:
        """``write_log`` appends one line to ``run.log``; it may raise OSError or RunwatchError."""
        self._write_log = write_log
        self.counts: dict[str, int] = {}
        """Kind to how often it happened."""

    def report(self, kind: str, sentence: str) -> bool:
        """Count one; the first of its kind is told, and answered with True."""
        seen = self.counts.get(kind)
        if seen is not None:
            self.counts[kind] = seen + 1
            return False
        if len(self.counts) >= _MAX_KINDS:
            return False
        self.counts[kind] = 1
        say(sentence)
        record = {"ts": WallClock().text(), "level": "WARNING", "component": "orchestrator"}
        record |= {"logger": "runwatch", "msg": sentence}
        try:
            self._write_log(msgspec.json.encode(record) + b"\n")
        except (OSError, RunwatchError, UnicodeError):
            pass  # stderr has it
        return True


def say(sentence: str) -> None:
    """Write one line of runwatch's own to stderr, whatever stderr is by now."""
    try:
        sys.stderr.write(f"runwatch: {sentence}\n")
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 - the program may have put anything in the place of stderr, or closed it
        pass
