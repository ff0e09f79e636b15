"""Shapes of what was measured: code, tests, the machine, trends.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec


class Changes(NamedTuple):
    """What git was seen to say of a branch."""

    files_created: int
    files_modified: int
    files_deleted: int
    files_renamed: int
    lines_added: int
    lines_deleted: int
    commits: int
    dirty: bool

    @property
    def files(self) -> int:
        """Files of any kind of change."""
        return self.files_created + self.files_modified + self.files_deleted + self.files_renamed


class CodeMetrics(msgspec.Struct, kw_only=True):
    """The branch against its merge base; what nobody measured is None."""

    branch: str | None = None
    """None when detached."""
    head: str | None = None
    """Object id."""
    base: str | None = None
    """Object id of the merge base."""
    files_created: int | None = None
    """Files."""
    files_modified: int | None = None
    """Files."""
    files_deleted: int | None = None
    """Files."""
    files_renamed: int | None = None
    """Files."""
    lines_added: int | None = None
    """Lines."""
    lines_deleted: int | None = None
    """Lines."""
    commits: int | None = None
    """Commits."""
    dirty: bool | None = None
    """Whether tracked files differ from HEAD."""
    coverage_percent: float | None = None
    """0 to 100, the last one measured."""
    coverage_change: float | None = None
    """Points since the first one measured; None where there is no second one."""

    @property
    def changes(self) -> Changes | None:
        """What git says; None where coverage alone was measured."""
        if self.commits is None:
            return None
        told: dict[str, Any] = {name: getattr(self, name) or 0 for name in Changes._fields}
        return Changes(**told)


class TestMetrics(msgspec.Struct, kw_only=True):
    """The last test run that was measured; reports that stand side by side are added up."""

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
    """How many test runs were measured: of reports, how often the one that was written most often was."""


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
