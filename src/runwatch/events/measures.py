"""Events that measure the repository, the tests, the machine, and what a program counts itself.

No clock, no path, no I/O. Source of the fields: record.md, "The journal".
"""

from __future__ import annotations

from typing import Literal

from runwatch.events.bounds import Measure, Percent, Seconds, Size, Whole
from runwatch.events.envelope import Event


class GitSnapshot(Event, tag="git.snapshot"):
    """The branch against its merge base, ``runs/`` and runwatch's own commits left out."""

    branch: str | None = None
    """None when detached."""
    head: str | None = None
    """Object id in hex, None when unborn."""
    base: str | None = None
    """Object id of the merge base in hex."""
    files_created: Whole = 0
    """Files."""
    files_modified: Whole = 0
    """Files."""
    files_deleted: Whole = 0
    """Files."""
    files_renamed: Whole = 0
    """Files."""
    lines_added: Whole = 0
    """Lines; binary files count none."""
    lines_deleted: Whole = 0
    """Lines."""
    commits: Whole = 0
    """Commits since the base."""
    dirty: bool = False
    """Whether tracked files differ from HEAD."""


class GitOperation(Event, tag="git.operation"):
    """A git operation that the run made."""

    operation: str
    """merge, checkout, worktree_create, worktree_remove or conflict_resolution."""
    result: str = "success"
    """How it ended."""
    duration_s: Seconds | None = None
    """Seconds."""
    conflict_count: Whole | None = None
    """Conflicts."""
    files_modified: Whole | None = None
    """Files."""
    method: str | None = None
    """How a conflict was resolved."""


class CoverageMeasured(Event, tag="coverage.measured"):
    """Test coverage from a report."""

    percent: Percent
    """0 to 100."""
    lines_covered: Whole | None = None
    """Lines."""
    lines_total: Whole | None = None
    """Lines."""
    source: str | None = None
    """Which report."""


class TestsMeasured(Event, tag="tests.measured"):
    """The result of a test run."""

    __test__ = False  # pytest: not a test class

    passed: Whole = 0
    """Tests."""
    failed: Whole = 0
    """Tests."""
    skipped: Whole = 0
    """Tests."""
    errors: Whole = 0
    """Tests."""
    duration_s: Seconds | None = None
    """Seconds."""
    source: str | None = None
    """Which report."""
    file: str | None = None
    """Path of a report that others stand beside: they are added up, and a later word of the same file replaces its
    earlier one. Without it the event tells of all tests."""
    gone: bool = False
    """Whether that file is no longer there: what it said counts no more."""


class ResourceSample(Event, tag="resource.sample"):
    """The command's process tree at one moment."""

    cpu_percent: Measure = 0.0
    """Of one core since the sample before; above 100 with several."""
    rss_bytes: Size = 0
    """Resident memory, summed over the tree."""
    processes: Whole = 0
    """Processes alive."""
    read_bytes: Size | None = None
    """Read from storage since the start, by all that were ever seen."""
    written_bytes: Size | None = None
    """Written to storage since the start, by all that were ever seen."""
    known_secrets: Whole | None = None
    """So many digests are remembered: who finds fewer of them later knows that they are lost."""


class MetricObserved(Event, tag="metric.observed"):
    """One observation of a program's own instrument."""

    name: str
    """Exposed name."""
    value: Measure
    """Increment of a counter, value of a gauge, observation of a histogram."""
    kind: Literal["counter", "gauge", "histogram"] = "gauge"
    """What the value means."""
    labels: dict[str, str] = {}
    """Label to value."""
    delta: bool = False
    """Whether the value is added to a gauge instead of replacing it."""
    help: str | None = None
    """One line for people."""
