"""Every setting, its type, its default and its meaning, one group for each section of the file.

Must not read anything. The line under a field is its documentation: `runwatch init` writes it beside the key.
**Source** of the sections: cli-and-tui.md, "Configuration".
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta, Struct, field

from runwatch.settings.kinds import Bytes, Regex, Seconds

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(gt=0)]
Author = Annotated[str, Meta(pattern=r"^[^<>\n]+ <[^<>\n]*>$", examples=["A Bot <bot@example.com>"])]
Price = Annotated[float, Meta(ge=0)]
Weight = Annotated[float, Meta(ge=0)]
LimitName = Literal["max_cost_usd", "max_duration", "max_tokens", "stall_after", "max_errors_per_minute"]
PublishName = Literal["host", "cwd"]


class Complexity(TypedDict, total=False):
    """Weights of the complexity score of an issue; what is left out keeps its own."""

    churn: Weight
    """Of a line added or deleted."""
    files: Weight
    """Of a file created, modified, deleted or renamed."""
    retries: Weight
    """Of a retry."""


class Run(Struct, frozen=True, kw_only=True):
    """What a run is called and where it lies."""

    framework: str = "default"
    """First level below the runs folder: what is being run."""
    runs_dir: Annotated[Annotated[str, Meta(min_length=1)] | None, Meta(examples=["runs"])] = None
    """Folder of all runs; default: `runs` at the top of the git work tree, else in the current folder."""
    mode: Annotated[str | None, Meta(examples=["nightly"])] = None
    """Your own name for the kind of run."""
    grace_person_s: Seconds = field(default=10.0, name="grace_person")
    """From a person's Ctrl-C or `runwatch stop` to SIGKILL."""
    grace_signal_s: Seconds = field(default=4.0, name="grace_signal")
    """From a polite signal from outside to SIGKILL."""
    complexity: Annotated[Complexity, Meta(examples=[{"churn": 0.01, "files": 0.5, "retries": 2.0}])] = {}
    """Weights of the complexity score: per line, per file, per retry."""
    end_leftovers: bool = False
    """End the processes that the command left behind, instead of only naming them."""


class Llm(Struct, frozen=True, kw_only=True):
    """The model that runs use; `LLM_PROVIDER`, `LLM_MODEL` and `LLM_TEMPERATURE` come first."""

    provider: Annotated[str | None, Meta(examples=["openai"])] = None
    """Who serves it."""
    model: Annotated[str | None, Meta(examples=["gpt-4o"])] = None
    """Its name at the provider."""
    temperature: Annotated[float | None, Meta(examples=[0.0])] = None
    """Sampling temperature."""


class Capture(Struct, frozen=True, kw_only=True):
    """How the command's output is taken."""

    mode: Literal["auto", "pipe", "pty"] = "auto"
    """What its stdout and stderr are; auto: a pseudo-terminal each under the app, else pipes."""
    stdin: Literal["auto", "inherit", "null"] = "auto"
    """What it reads from; auto: nothing under the app, else our own standard input."""
    unbuffer: bool = False
    """Ask Python commands to write at once (PYTHONUNBUFFERED); slow for those that print much."""
    max_file_bytes: Annotated[Bytes | None, Meta(examples=["256 MiB"])] = None
    """A log past this size goes on in `.1.log`, `.2.log` and so on; without this it never does. At least 4 KiB."""
    coverage: Annotated[tuple[str, ...], Meta(examples=[["coverage.json"]])] = ()
    """Patterns of coverage reports (coverage.py JSON, Cobertura XML, LCOV) from where the command starts."""
    tests: Annotated[tuple[str, ...], Meta(examples=[["reports/*.xml"]])] = ()
    """Patterns of JUnit XML reports from where the command starts."""


class Steps(Struct, frozen=True, kw_only=True):
    """Where steps are seen in the command's output, beside `::group::` and GitLab section markers."""

    pattern: Annotated[Regex | None, Meta(examples=["^== (?P<name>.+)"])] = None
    """Regular expression of a line that starts a step; its group `name` is the step's name."""


class Git(Struct, frozen=True, kw_only=True):
    """What code changes are measured against."""

    base: Annotated[str | None, Meta(examples=["main"])] = None
    """Branch, tag or commit; default: the remote's default branch, else main or master."""


class Commit(Struct, frozen=True, kw_only=True):
    """The commit of the five summary files at the end of a run."""

    mode: Annotated[str, Meta(pattern=r"^[^\s~^:?*\[\\]+$", examples=["current"])] = "current"
    """off, current (the branch that is checked out at the end), or the name of a branch."""
    push: bool = False
    """Push that branch to its upstream afterwards; its pre-push hook runs."""
    sign: bool = False
    """Sign the commit as git is configured to."""
    hooks: bool = False
    """Run the repository's hooks for it: pre-commit, prepare-commit-msg, commit-msg, post-commit; 30 s at most."""
    author: Author | None = None
    """Author as "Name <mail>"; default: git's own identity."""
    publish: tuple[PublishName, ...] = ()
    """What else may stand in tracked files: host, cwd."""


class Archive(Struct, frozen=True, kw_only=True):
    """What `run.tar.gz` holds beside logs and metrics."""

    workspace: bool = False
    """Take the run's `workspace` folder in."""
    artifacts: bool = False
    """Take the run's `artifacts` folder in."""
    exclude: tuple[str, ...] = ()
    """Patterns of workspace and artifact files to leave out, such as "*.bin"."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a run may cost; each alerts, and stops the run where `stop` names it."""

    max_cost_usd: Annotated[Positive | None, Meta(examples=[5.0])] = None
    """US dollars for model calls."""
    max_duration_s: Annotated[Seconds | None, Meta(examples=["2h 30m"])] = field(default=None, name="max_duration")
    """Wall-clock time."""
    max_tokens: Annotated[Count | None, Meta(examples=[2_000_000])] = None
    """Tokens of all model calls, input and output."""
    stall_after_s: Annotated[Seconds | None, Meta(examples=["10m"])] = field(default=None, name="stall_after")
    """Time with no output and no event of the program."""
    max_errors_per_minute: Annotated[Count | None, Meta(examples=[30])] = None
    """Recorded errors within the last minute."""
    stop: tuple[LimitName, ...] = ()
    """The limits that stop the run instead of only alerting."""


class Alerts(Struct, frozen=True, kw_only=True):
    """Whom to tell, and when."""

    command: tuple[str, ...] = ()
    """Program and arguments to call; the alert is its standard input, as JSON."""
    webhook: Annotated[str | None, Meta(examples=["https://example.com/hook"])] = None
    """URL to post the alert to, as JSON."""
    service_down: bool = True
    """When a service's health check fails."""
    failure_streak: Annotated[Count | None, Meta(examples=[3])] = None
    """After this many failed runs of one framework in a row."""
    deviation: Annotated[Positive | None, Meta(examples=[3.0])] = None
    """When a value is this many standard deviations away from the framework's earlier runs."""


class Retention(Struct, frozen=True, kw_only=True):
    """What `runwatch prune` keeps; a live run and a tracked file are never touched."""

    max_runs: Annotated[Count | None, Meta(examples=[100])] = None
    """Newest runs to keep."""
    max_age_days: Annotated[Positive | None, Meta(examples=[30])] = None
    """Age to keep runs until."""
    archives: Annotated[Count | None, Meta(examples=[100])] = None
    """Newest archives to keep."""
    raw: Literal["keep", "after_verify"] = "keep"
    """Raw logs: keep them, or take them away once the archive that holds them is verified."""


class Reconcile(Struct, frozen=True, kw_only=True):
    """How recorded tokens and cost are held against a provider's usage export."""

    tolerance_pct: Annotated[float, Meta(ge=0, le=100)] = 1.0
    """Difference that still agrees, in percent of the larger number."""
    agreeing_checks: Count = 2
    """Agreeing checks in a row after which the usage counts as verified."""


class _Prices(TypedDict):
    input: Price
    """Prompt tokens."""
    output: Price
    """Completion tokens."""


class ModelPrice(_Prices, total=False):
    """Prices of one model in USD per million tokens; what is left out of the cache's costs as `input`."""

    cache_read: Price
    """Prompt tokens read from the provider's cache."""
    cache_write: Price
    """Prompt tokens written to the provider's cache."""


class Redact(Struct, frozen=True, kw_only=True):
    """What else must not reach git."""

    patterns: tuple[Regex, ...] = ()
    """Regular expressions, beside the known key shapes and the values of variables named like secrets."""


class Tui(Struct, frozen=True, kw_only=True):
    """The terminal app."""

    theme: str = "runwatch-dark"
    """Name of a theme; `runwatch theme` lists them."""


class Serve(Struct, frozen=True, kw_only=True):
    """`runwatch serve`."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """TCP port."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    token: Annotated[str | None, Meta(examples=["…"])] = None
    """What a client must send as a bearer token; demanded beyond loopback."""


class Settings(Struct, frozen=True, kw_only=True):
    """The whole configuration in force."""

    run: Run = field(default_factory=Run)
    llm: Llm = field(default_factory=Llm)
    capture: Capture = field(default_factory=Capture)
    steps: Steps = field(default_factory=Steps)
    git: Git = field(default_factory=Git)
    commit: Commit = field(default_factory=Commit)
    archive: Archive = field(default_factory=Archive)
    limits: Limits = field(default_factory=Limits)
    alerts: Alerts = field(default_factory=Alerts)
    retention: Retention = field(default_factory=Retention)
    pricing: dict[str, ModelPrice] = {}
    """By `model` or `provider/model`; these come before the price library's."""
    reconcile: Reconcile = field(default_factory=Reconcile)
    redact: Redact = field(default_factory=Redact)
    services: dict[str, str] = {}
    """Health URL by service name."""
    tui: Tui = field(default_factory=Tui)
    keys: dict[str, str] = {}
    """Key by binding id, such as `log.search = "slash"`; several keys are parted by commas."""
    serve: Serve = field(default_factory=Serve)
