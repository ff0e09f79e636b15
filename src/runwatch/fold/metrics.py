"""The shape of what a fold yields: every metric once, under the name that all outputs use.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from runwatch.fold.metrics_calls import CallMetrics, Durations, HealthMetrics, Llm, ModelMetrics, Tokens
from runwatch.fold.metrics_measures import (
    Changes,
    CodeMetrics,
    InstrumentMetrics,
    InstrumentSeries,
    ResourceMetrics,
    Series,
    TestMetrics,
)
from runwatch.fold.metrics_notes import Check, ErrorGroup, JournalMetrics, Notice, Question
from runwatch.fold.metrics_work import (
    AgentMetrics,
    AttemptMetrics,
    DebuggingCycle,
    DebuggingTotals,
    IssueMetrics,
    PipelineMetrics,
    PipelineTotals,
    StepMetrics,
)

__all__ = [
    "AgentMetrics",
    "AttemptMetrics",
    "CallMetrics",
    "Changes",
    "Check",
    "CodeMetrics",
    "DebuggingCycle",
    "DebuggingTotals",
    "Durations",
    "ErrorGroup",
    "HealthMetrics",
    "InstrumentMetrics",
    "InstrumentSeries",
    "IssueMetrics",
    "JournalMetrics",
    "Llm",
    "Metrics",
    "ModelMetrics",
    "Notice",
    "PipelineMetrics",
    "PipelineTotals",
    "Question",
    "ResourceMetrics",
    "Run",
    "Series",
    "StepMetrics",
    "TestMetrics",
    "Tokens",
]


class Run(msgspec.Struct, kw_only=True):
    """The run as a whole."""

    run_id: str = ""
    """Unique within the framework."""
    framework: str = ""
    """What was run."""
    project_id: int | str | None = None
    """The caller's own."""
    mode: str | None = None
    """The caller's own."""
    command: list[str] | None = None
    """Argument vector."""
    llm_configuration: Llm = msgspec.field(default_factory=Llm)
    """All None means that nothing anywhere said it."""
    start_time: str | None = None
    """RFC 3339."""
    end_time: str | None = None
    """RFC 3339; None while it goes on."""
    duration_seconds: float = 0.0
    """Up to now while it goes on."""
    status: str | None = None
    """None while it goes on."""
    proposed_status: str | None = None
    """What a program that joined takes it to be."""
    exit_code: int | None = None
    """Of the command."""
    signal: str | None = None
    """Name of the signal that ended the command."""
    reason: str | None = None
    """One line for people."""
    steps_planned: int | None = None
    """How many steps will come, where that was said."""
    step_names: list[str] = []
    """Names of the planned steps, in order."""
    issues_processed: list[int | str] = []
    """Ids, in order of their start."""
    total_successes: int = 0
    """Issues that ended well."""
    total_errors: int = 0
    """Issues that ended otherwise."""
    issues_open: int = 0
    """Issues that go on."""
    steps_by_status: dict[str, int] = {}
    """Status to how many steps have it; ``running`` for those that go on."""
    success_rate: float | None = None
    """total_successes in percent of the issues that ended, two digits."""
    errors: int = 0
    """Recorded errors of the whole run."""
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    """Of all model calls."""
    cost_usd: float | None = None
    """Of all priced model calls; None without any."""
    unpriced_models: list[str] = []
    """Models that were called and have no known price."""
    unmeasured_models: list[str] = []
    """Models with calls that have no cost because nobody tells how many tokens went in and came out."""
    llm_calls: int = 0
    """Model calls that ended, retries included."""
    llm_requests: int = 0
    """Model requests, retries of one counted once."""
    llm_duration_s: float = 0.0
    """Seconds in model calls."""
    alerts: int = 0
    """Alerts and limits reached."""
    max_cost_usd: float | None = None
    """The budget; None without one."""
    max_tokens: int | None = None
    """The most tokens; None without a limit."""
    recorders_replaced: int = 0
    """How often a new recorder took over."""


class Metrics(msgspec.Struct, kw_only=True):
    """Everything that is shown or exported of one run."""

    schema: int = 1
    """Version of this shape."""
    run: Run = msgspec.field(default_factory=Run)
    """The run as a whole."""
    steps: list[StepMetrics] = []
    """By number."""
    whole: StepMetrics | None = None
    """The whole run as one step, where it ended without any."""
    current_step: int | None = None
    """The step that was opened last and goes on; None between steps."""
    issues: list[IssueMetrics] = []
    """In order of their start."""
    agents: list[AgentMetrics] = []
    """Over the whole run, in order of their first attempt."""
    attempts: Sequence[AttemptMetrics] = []
    """Of agents, in order of their end."""
    models: list[ModelMetrics] = []
    """In order of their first call."""
    cost_by_issue: dict[str, float] = {}
    """Issue id as text to USD; empty text for calls outside any."""
    cost_by_agent: dict[str, float] = {}
    """Agent to USD; empty text for calls outside any."""
    cost_by_step: dict[str, float] = {}
    """Step number as text to USD; empty text for calls outside any."""
    tools: list[CallMetrics] = []
    """In order of their first call."""
    services: list[CallMetrics] = []
    """In order of their first call."""
    health: list[HealthMetrics] = []
    """Services whose health was checked, in order of their first check."""
    instruments: list[InstrumentMetrics] = []
    """The program's own counters, gauges and histograms, those of model calls included, by name."""
    pipelines: list[PipelineMetrics] = []
    """Of the whole run, in order of their start."""
    pipeline_totals: PipelineTotals = msgspec.field(default_factory=PipelineTotals)
    """Over all pipelines."""
    debugging: list[DebuggingCycle] = []
    """Of the whole run, in order of their start."""
    debugging_totals: DebuggingTotals = msgspec.field(default_factory=DebuggingTotals)
    """Over all cycles."""
    code: CodeMetrics | None = None
    """The last snapshot made for no issue, else the last one; None where neither git nor coverage was measured."""
    tests: TestMetrics | None = None
    """The last test run; None without any."""
    resources: ResourceMetrics = msgspec.field(default_factory=ResourceMetrics)
    """The command's process tree."""
    errors: list[ErrorGroup] = []
    """Grouped, in order of the first of each; at most 500 groups."""
    notices: list[Notice] = []
    """Warnings, alerts, limits, checks; the first 250 and the last 250."""
    checks: list[Check] = []
    """The last check of each thing that was checked, in the order of these; at most 250."""
    questions: list[Question] = []
    """Human interactions."""
    series: Series = msgspec.field(default_factory=Series)
    """Trends."""
    journal: JournalMetrics = msgspec.field(default_factory=JournalMetrics)
    """What was read."""
