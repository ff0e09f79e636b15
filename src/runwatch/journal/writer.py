"""Writing events of runwatch's own processes: the envelope filled in, one line appended.

Must not decide what happened. The SDK has a faster path of its own for the user's program.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from typing import Any

from runwatch.events import Event, build, encode_any
from runwatch.journal.append import Appender
from runwatch.journal.paths import RunPaths


def now_text() -> str:
    """The wall clock, RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class EventWriter:
    """Appends events to one run's journal; safe to use from threads."""

    def __init__(self, paths: RunPaths) -> None:
        """Open the journal. Raises RecordError."""
        self._journal = Appender(paths.journal)
        self._writer = os.urandom(4).hex()
        self._seq = 0
        self._lock = threading.Lock()

    def emit(self, event_type: str, **fields: Any) -> bool:
        """Append one event; True when it is acknowledged. Raises Unreadable for a value that cannot be meant."""
        fields = {key: value for key, value in fields.items() if value is not None}
        with self._lock:
            self._seq += 1
            fields.setdefault("ts", now_text())
            fields |= {"writer": self._writer, "seq": self._seq, "pid": os.getpid(), "mono": round(time.monotonic(), 6)}
            return self._journal.append(encode_any(build(event_type, fields)))

    def append(self, event: Event) -> bool:
        """Append an event that has its envelope already."""
        return self._journal.append(encode_any(event))

    @property
    def dropped(self) -> int:
        """Events that could not be written."""
        return self._journal.dropped

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        self._journal.sync()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
