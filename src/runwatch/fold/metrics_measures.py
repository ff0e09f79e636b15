"""Shapes of what was measured: code, tests, the machine, trends.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

import msgspec


class CodeMetrics(msgspec.Struct, kw_only=True):
    """The branch against its merge base."""

    branch: str | None = None
    """None when detached."""
    head: str | None = None
    """Object id."""
    base: str | None = None
    """Object id of the merge base."""
    files_created: int = 0
    """Files."""
    files_modified: int = 0
    """Files."""
    files_deleted: int = 0
    """Files."""
    files_renamed: int = 0
    """Files."""
    lines_added: int = 0
    """Lines."""
    lines_deleted: int = 0
    """Lines."""
    commits: int = 0
    """Commits."""
    dirty: bool = False
    """Whether tracked files differ from HEAD."""
    coverage_percent: float | None = None
    """0 to 100, the last one measured."""
    coverage_change: float | None = None
    """Points since the first one measured."""


class TestMetrics(msgspec.Struct, kw_only=True):
    """The last test run that was measured."""

    __test__ = False  # pytest: not a test class

    passed: int = 0
    """Tests."""
    failed: int = 0
    """Tests."""
    skipped: int = 0
    """Tests."""
    errors: int = 0
    """Tests."""
    duration_s: float | None = None
    """Seconds."""
    runs: int = 0
    """How many test runs were measured."""


class ResourceMetrics(msgspec.Struct, kw_only=True):
    """The command's process tree."""

    samples: int = 0
    """How many were taken."""
    cpu_percent: float = 0.0
    """Of one core, the last sample."""
    mean_cpu_percent: float | None = None
    """Of one core, over the samples."""
    rss_bytes: int = 0
    """Resident memory, the last sample."""
    peak_rss_bytes: int = 0
    """Resident memory, the largest sample."""
    processes: int = 0
    """Processes alive, the last sample."""
    read_bytes: int | None = None
    """From storage."""
    written_bytes: int | None = None
    """To storage."""


class Series(msgspec.Struct, kw_only=True):
    """Trends over the run in at most 120 buckets of equal width; the width doubles when they are full."""

    bucket_s: float = 1.0
    """Width of a bucket, in seconds."""
    tokens: list[int] = []
    """Tokens used in each bucket."""
    cost_usd: list[float] = []
    """Priced cost of each bucket."""
    cpu_percent: list[float] = []
    """Mean of the samples of each bucket; 0 without one."""
    rss_bytes: list[int] = []
    """Largest of the samples of each bucket; 0 without one."""


class InstrumentSeries(msgspec.Struct, kw_only=True):
    """One combination of labels of an instrument."""

    labels: dict[str, str] = {}
    """Label to value."""
    value: float | None = None
    """Of a counter or gauge."""
    count: int | None = None
    """Of a histogram: observations."""
    sum: float | None = None
    """Of a histogram: their sum."""
    buckets: list[int] = []
    """Of a histogram: observations at most each of the instrument's edges and above the one before; the last, above
    them all."""


class InstrumentMetrics(msgspec.Struct, kw_only=True):
    """A counter, gauge or histogram under its exposed name."""

    name: str
    """As Prometheus sees it."""
    kind: str
    """counter, gauge or histogram."""
    help: str
    """One line for people."""
    edges: list[float] = []
    """Of a histogram: upper bounds of its buckets but the last."""
    series: list[InstrumentSeries] = []
    """In order of their first observation."""
