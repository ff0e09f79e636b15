"""Writing events of runwatch's own processes: the envelope filled in, one line appended.

Must not decide what happened. The SDK has a faster path of its own for the user's program.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from datetime import UTC, datetime
from typing import Any

from runwatch.errors import RecordError
from runwatch.events import build, encode_any
from runwatch.journal.append import Appender
from runwatch.journal.losses import Loss, LossAccount
from runwatch.journal.paths import RunPaths


def now_text() -> str:
    """The wall clock, RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class EventWriter:
    """Appends events to one run's journal; safe to use from threads."""

    def __init__(self, paths: RunPaths, *, sealing: bool = False) -> None:
        """Open the journal, a closed one with ``sealing``: for the finalizer. Raises RecordError."""
        self._path, self._sealing = paths.journal, sealing
        self._journal = Appender(paths.journal, sealing=sealing)
        self._writer = os.urandom(4).hex()
        self.mark = f'"writer":"{self._writer}"'.encode()
        """Stands in every line that this process writes."""
        self.losses = LossAccount(paths.losses, self._writer)
        """What this process could not record."""
        self._counts_losses = not sealing  # a finalizer tries again
        self._seq = 0
        self._lock = threading.Lock()

    def emit(self, event_type: str, **fields: Any) -> bool:
        """Append one event; True when it is acknowledged. Raises Unreadable for a value that cannot be meant."""
        fields = {key: value for key, value in fields.items() if value is not None}
        with self._lock:
            self._seq += 1
            fields.setdefault("ts", now_text())
            fields |= {"writer": self._writer, "seq": self._seq, "pid": os.getpid(), "mono": round(time.monotonic(), 6)}
            # What tells of losses is told again.
            return self._append(encode_any(build(event_type, fields)), counted=event_type != "degraded")

    def again(self, line: bytes) -> bool:
        """Append a line as it once stood in the journal, without its line feed; True when it is acknowledged."""
        with self._lock:
            return self._append(line + b"\n", counted=False)

    def _append(self, line: bytes, *, counted: bool) -> bool:
        before = self._journal.dropped
        acknowledged = self._journal.append(line)
        if self._journal.moved and os.path.lexists(self._path) and self.reopen():
            before, acknowledged = 0, self._journal.append(line)  # another journal was put in its place
        if self._journal.dropped > before and self._counts_losses and counted:
            self.losses.add(events=1)
        return acknowledged

    def reopen(self) -> bool:
        """Open the journal that has its name now, making it where there is none; False where that cannot be."""
        try:
            newer = Appender(self._path, sealing=self._sealing)
        except RecordError:
            return False
        self._journal.close()
        self._journal = newer
        return True

    def tell_loss(self, loss: Loss) -> bool:
        """Write what another process lost; True when that is acknowledged."""
        event = loss.event()
        return self.emit(
            "degraded",
            dropped=event.dropped,
            since=event.since,
            log_lines=event.log_lines,
            output_bytes=event.output_bytes,
            of=event.of,
        )

    @property
    def failure(self) -> OSError:
        """Why the last event that was lost could not be written."""
        return OSError(self._journal.last_errno or errno.EIO, self._journal.last_error or "unknown error")

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        self._journal.sync()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
