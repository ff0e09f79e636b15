"""The command's process tree over the run.

No I/O, no formatting.
"""

from __future__ import annotations

from runwatch.events.measures import ResourceSample
from runwatch.fold.metrics import ResourceMetrics


class Resources:
    """Last, largest and mean of the samples."""

    __slots__ = ("_cpu_sum", "_last", "_peak", "_read", "_samples", "_written")

    def __init__(self) -> None:
        self._last: ResourceSample | None = None
        self._samples = 0
        self._cpu_sum = 0.0
        self._peak = 0
        self._read: int | None = None
        self._written: int | None = None

    def sample(self, event: ResourceSample) -> None:
        """Take over a sample. Bytes read and written are counters: the largest is the last."""
        self._last = event
        self._samples += 1
        self._cpu_sum += event.cpu_percent
        self._peak = max(self._peak, event.rss_bytes)
        if event.read_bytes is not None:
            self._read = max(event.read_bytes, self._read or 0)
        if event.written_bytes is not None:
            self._written = max(event.written_bytes, self._written or 0)

    def metrics(self) -> ResourceMetrics:
        """Return it as it is shown."""
        last = self._last
        if last is None:
            return ResourceMetrics()
        return ResourceMetrics(
            samples=self._samples,
            cpu_percent=last.cpu_percent,
            mean_cpu_percent=round(self._cpu_sum / self._samples, 2),
            rss_bytes=last.rss_bytes,
            peak_rss_bytes=self._peak,
            processes=last.processes,
            read_bytes=self._read,
            written_bytes=self._written,
        )
