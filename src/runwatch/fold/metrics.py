"""The shape of what a fold yields: every metric once, under the name that all outputs use.

No I/O, no formatting, no arithmetic. Definitions: metrics.md. A percentage of nothing is None, never 0 or 100.
"""

from __future__ import annotations

import msgspec


class Tokens(msgspec.Struct, kw_only=True):
    """Token counts, after normalization."""

    prompt: int = 0
    """All input, cached included."""
    completion: int = 0
    """All output, reasoning included."""
    cache_read: int = 0
    """Part of the input read from a cache."""
    cache_write: int = 0
    """Part of the input written to a cache."""
    reasoning: int = 0
    """Part of the output that nobody sees."""
    total: int = 0
    """prompt + completion, plus totals whose split nobody knows."""


class Durations(msgspec.Struct, kw_only=True):
    """Durations of one kind of call, in seconds; percentiles within 1 %."""

    total_s: float = 0.0
    """Sum."""
    mean_s: float | None = None
    """Arithmetic mean."""
    p50_s: float | None = None
    """Median."""
    p95_s: float | None = None
    """95th percentile."""
    max_s: float | None = None
    """Longest."""


class Llm(msgspec.Struct, kw_only=True):
    """The model of the run: explicit, from the environment, from the configuration, or the first one seen."""

    provider: str | None = None
    """Who serves it."""
    model: str | None = None
    """Its name at the provider."""
    temperature: float | None = None
    """Sampling temperature."""


class CallMetrics(msgspec.Struct, kw_only=True):
    """Calls of one tool or one service."""

    name: str
    """Tool or service."""
    calls: int = 0
    """Calls that ended."""
    successes: int = 0
    """Calls that did what they were for."""
    failures: int = 0
    """Calls that did not, interrupted ones included."""
    retries: int = 0
    """Repeated attempts."""
    durations: Durations = msgspec.field(default_factory=Durations)
    """Of calls that ended."""
    open: int = 0
    """Calls under way now."""


class ModelMetrics(msgspec.Struct, kw_only=True):
    """Calls of one model at one provider."""

    provider: str
    """Who serves it."""
    model: str
    """Its name."""
    calls: int = 0
    """Calls that ended, retries included."""
    requests: int = 0
    """Requests, retries of one counted once."""
    retries: int = 0
    """Repeated attempts."""
    rate_limits: int = 0
    """Calls turned away by a rate limit."""
    timeouts: int = 0
    """Calls that ran out of time."""
    failures: int = 0
    """Calls that did not succeed, rate limits, time-outs and interrupted ones included."""
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    """Of its calls."""
    cost_usd: float | None = None
    """None when it has no known price."""
    priced: bool = True
    """False when any call of it has no known price, or succeeded with a usage that nobody knows."""
    prices: str | None = None
    """Library, version and date of the price list; None where the provider said the cost."""
    durations: Durations = msgspec.field(default_factory=Durations)
    """Of its calls."""


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
    """Attempts that ended, canceled, skipped and interrupted ones included."""
    succeeded: int = 0
    """With status success."""
    failed: int = 0
    """With status failed or timeout."""
    success_rate: float | None = None
    """Percent of the attempts, two digits."""
    first_attempt_pass: bool | None = None
    """Whether the first attempt succeeded; in a run, None unless there is one issue or none."""
    queued_s: float = 0.0
    """Seconds waited, summed."""
    duration_s: float = 0.0
    """Seconds run, summed."""


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
    duration_s: float = 0.0
    """Seconds."""


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
    """Mean seconds to resolution, of the resolved cycles."""


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


class ErrorGroup(msgspec.Struct, kw_only=True):
    """Recorded errors of one type with one message."""

    error_type: str | None
    """Kind."""
    message: str
    """The text of the first."""
    count: int = 1
    """How many."""
    first_time: str | None = None
    """RFC 3339."""
    step: int | None = None
    """Where it was first."""
    issue: int | str | None = None
    """Where it was first."""
    component: str | None = None
    """Who said it first."""
    where: str | None = None
    """File, function or URL of the first."""


class Notice(msgspec.Struct, kw_only=True):
    """A warning, alert, limit or check."""

    kind: str
    """Wire name of its event."""
    message: str
    """One line for people."""
    time: str | None = None
    """RFC 3339."""
    step: int | None = None
    """Where."""


class Question(msgspec.Struct, kw_only=True):
    """A wait for a person."""

    question: str
    """What was asked."""
    answer: str | None = None
    """None when nobody answered."""
    time: str | None = None
    """RFC 3339 of the question."""
    wait_s: float | None = None
    """Seconds; None while it goes on."""


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


class JournalMetrics(msgspec.Struct, kw_only=True):
    """What was read to make all this."""

    offset: int = 0
    """Bytes of the journal that are covered."""
    events: int = 0
    """Events folded."""
    unreadable: int = 0
    """Lines that are no event."""
    unknown: int = 0
    """Events of types that this version does not know."""
    after_seal: int = 0
    """Lines after the seal: neither acknowledged nor counted in any metric."""
    dropped: int = 0
    """Events that could not be written."""
    dropped_since: str | None = None
    """RFC 3339 of the first."""
    last_time: str | None = None
    """RFC 3339 of the last event."""


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
    llm_calls: int = 0
    """Model calls that ended, retries included."""
    llm_requests: int = 0
    """Model requests, retries of one counted once."""
    llm_duration_s: float = 0.0
    """Seconds in model calls."""
    alerts: int = 0
    """Alerts and limits reached."""
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
    questions: list[Question] = []
    """Human interactions."""
    series: Series = msgspec.field(default_factory=Series)
    """Trends."""
    journal: JournalMetrics = msgspec.field(default_factory=JournalMetrics)
    """What was read."""
