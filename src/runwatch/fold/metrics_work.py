"""Shapes of the work: steps, agents, pipelines, debugging cycles, issues.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

import msgspec

from runwatch.fold.metrics_calls import Tokens
from runwatch.fold.metrics_measures import CodeMetrics


class StepMetrics(msgspec.Struct, kw_only=True):
    """One step."""

    step: int
    """Number, from 1."""
    name: str | None = None
    """For people."""
    status: str | None = None
    """None while it goes on; success, failed, skipped or interrupted."""
    start_time: str | None = None
    """RFC 3339."""
    end_time: str | None = None
    """RFC 3339."""
    duration_s: float = 0.0
    """Seconds, up to now while it goes on."""
    retries: int = 0
    """How often it was tried again."""
    api_calls: int = 0
    """Every model and service call, retries included."""
    llm_requests: int = 0
    """Model requests, retries of one counted once."""
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    """Of its model calls."""
    cost_usd: float | None = None
    """Of its priced model calls; None without any."""
    errors: int = 0
    """Recorded errors."""
    note: str | None = None
    """One line for people."""


class AgentMetrics(msgspec.Struct, kw_only=True):
    """One agent, in one issue or in the whole run."""

    agent: str
    """Role."""
    attempts: int = 0
    """Attempts, the one under way included."""
    successes: int = 0
    """After the external truth, where it is known."""
    failures: int = 0
    """After the external truth, where it is known; attempts that never ended included."""
    reported_successes: int = 0
    """What the agent itself said."""
    reported_failures: int = 0
    """What the agent itself said."""
    retries: int = 0
    """The larger of the attempts after the first and the debugging attempts of its cycles."""
    duration_s: float = 0.0
    """Seconds over its attempts."""
    max_attempts: int | None = None
    """How many it may make."""
    running: bool = False
    """Whether an attempt is under way."""
    tool_calls: int = 0
    """Tool calls."""
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    """Of its model calls."""
    cost_usd: float | None = None
    """Of its priced model calls; None without any."""
    errors: int = 0
    """Recorded errors."""


class AttemptMetrics(msgspec.Struct, kw_only=True):
    """One attempt of an agent that has ended."""

    agent: str
    """Role."""
    attempt: int
    """Number of the attempt for its issue."""
    issue: int | str | None = None
    """For which issue."""
    start_time: str | None = None
    """RFC 3339."""
    end_time: str | None = None
    """RFC 3339."""
    duration_s: float = 0.0
    """Seconds."""
    success: bool = False
    """After the external truth, where it is known; False for one that never ended."""
    retries: int = 0
    """Retries of the agent up to the next attempt; those of its last attempt are the agent's."""
    tool_calls: int = 0
    """Tool calls while it went on."""
    total_tokens: int = 0
    """Tokens of the model calls while it went on."""
    error: str | None = None
    """Why it failed, as it was said."""


class PipelineMetrics(msgspec.Struct, kw_only=True):
    """One CI attempt."""

    pipeline_id: int | str
    """The forge's id."""
    issue: int | str | None = None
    """For which issue."""
    status: str | None = None
    """None while it goes on."""
    commit_sha: str | None = None
    """What it ran on."""
    triggered_by: str | None = None
    """Person, agent or event."""
    attempt: int = 1
    """Number of the attempt for its issue."""
    start_time: str | None = None
    """RFC 3339."""
    end_time: str | None = None
    """RFC 3339."""
    queued_s: float | None = None
    """Seconds waited for a runner."""
    duration_s: float | None = None
    """Seconds it ran."""
    failed_jobs: list[str] = []
    """Names."""
    error_type: str | None = None
    """Kind of failure."""


class PipelineTotals(msgspec.Struct, kw_only=True):
    """All CI attempts of an issue or a run."""

    attempts: int = 0
    """Attempts that ended, canceled and skipped ones included, and those that were under way when the run ended."""
    succeeded: int = 0
    """With status success."""
    failed: int = 0
    """With status failed or timeout."""
    success_rate: float | None = None
    """Percent of the attempts that ended, two digits; those under way when the run ended, and those that ended in a
    word that nobody knows, are in none."""
    first_attempt_pass: bool | None = None
    """Whether the first attempt succeeded; None where it never ended, or in a word that nobody knows, and in a run of
    more issues than one."""
    queued_s: float | None = None
    """Seconds waited, summed; None where nobody measured any."""
    duration_s: float | None = None
    """Seconds run, summed; None where nobody measured any."""


class DebuggingCycle(msgspec.Struct, kw_only=True):
    """From a failure to its resolution."""

    cycle: int | str
    """Which one."""
    issue: int | str | None = None
    """For which issue."""
    agent: str | None = None
    """Whose."""
    error_type: str | None = None
    """Kind of the failure."""
    error_message: str | None = None
    """Its text."""
    attempts: int = 0
    """Tries at a repair."""
    resolved: bool | None = None
    """None while it goes on."""
    method: str | None = None
    """What resolved it."""
    start_time: str | None = None
    """RFC 3339."""
    duration_s: float | None = 0.0
    """Seconds; None where nothing told when it began."""


class DebuggingTotals(msgspec.Struct, kw_only=True):
    """All debugging cycles of an issue or a run."""

    cycles: int = 0
    """Cycles."""
    resolved: int = 0
    """Cycles whose failure is gone."""
    attempts: int = 0
    """Tries at a repair."""
    success_rate: float | None = None
    """Resolved cycles in percent of those that ended, two digits."""
    resolution_s: float | None = None
    """Mean seconds to resolution, of the resolved cycles whose time is known."""


class IssueMetrics(msgspec.Struct, kw_only=True):
    """One unit of work."""

    issue: int | str
    """Id, a number where it was one."""
    title: str | None = None
    """For people."""
    status: str | None = None
    """None while it goes on."""
    start_time: str | None = None
    """RFC 3339."""
    end_time: str | None = None
    """RFC 3339."""
    duration_s: float = 0.0
    """Seconds."""
    agents: list[AgentMetrics] = []
    """In order of their first attempt."""
    pipelines: list[PipelineMetrics] = []
    """In order of their start."""
    pipeline_totals: PipelineTotals = msgspec.field(default_factory=PipelineTotals)
    """Over its pipelines."""
    debugging: list[DebuggingCycle] = []
    """In order of their start."""
    debugging_totals: DebuggingTotals = msgspec.field(default_factory=DebuggingTotals)
    """Over its cycles."""
    total_errors: int = 0
    """Recorded errors, failed agent attempts and failed pipelines."""
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    """Of its model calls."""
    cost_usd: float | None = None
    """Of its priced model calls; None without any."""
    code: CodeMetrics | None = None
    """The last snapshot made for it."""
    test_coverage: float | None = None
    """0 to 100."""
    complexity_score: float | None = None
    """Lines added and deleted, files, and retries (of its agents, and pipeline attempts after the first), each times
    its weight (FoldSettings); None without a snapshot made for it."""
    first_time_right: bool | None = None
    """Ended well with its first pipeline attempt and no debugging cycle. None while it goes on, and where it ended well
    without any pipeline attempt."""
