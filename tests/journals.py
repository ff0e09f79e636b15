"""Journals for tests, built in a few lines with a clock of their own.

Must not read the real clock or any random source: the same calls give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runwatch.events import Event, build, decode, encode_any
from runwatch.fold import Fold, FoldSettings, Metrics

START = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
"""When every journal starts, unless told otherwise."""


def text_of(moment: datetime) -> str:
    """Return the journal's form of a time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Journal:
    """The lines of one run, in order, with ``ts``, ``mono``, ``writer``, ``seq`` and ``pid`` filled in.

    ``journal.add("llm.completed", after=1.5, step=1, model="m")`` moves the clock 1.5 s and appends one line.
    """

    def __init__(self, *, start: datetime = START, writer: str = "w1", mono: float = 1000.0) -> None:
        self.start = start
        self.elapsed_s = 0.0
        self.lines: list[bytes] = []
        self._writer = writer
        self._mono = mono
        self._sequence: dict[str, int] = {}

    @property
    def now(self) -> str:
        """The journal's clock, RFC 3339."""
        return text_of(self.start + timedelta(seconds=self.elapsed_s))

    def wait(self, seconds: float) -> Journal:
        """Let time pass."""
        self.elapsed_s += seconds
        return self

    def add(self, type_name: str, /, *, after: float = 0.0, writer: str | None = None, **fields: Any) -> dict[str, Any]:
        """Append one event ``after`` seconds; return its fields. Envelope fields that are given win."""
        self.wait(after)
        name = writer or self._writer
        self._sequence[name] = self._sequence.get(name, 0) + 1
        envelope = {
            "ts": self.now,
            "writer": name,
            "seq": self._sequence[name],
            "pid": 4711,
            "mono": round(self._mono + self.elapsed_s, 6),
        }
        whole = {**envelope, **fields}
        self.lines.append(encode_any(build(type_name, whole)))
        return whole

    def foreign(self, line: bytes | str, *, after: float = 0.0) -> None:
        """Append a line exactly as it is; a line feed is added where it lacks one."""
        self.wait(after)
        data = line.encode() if isinstance(line, str) else line
        self.lines.append(data if data.endswith(b"\n") else data + b"\n")

    def run_started(self, **fields: Any) -> None:
        """Append ``run.started``: framework ``baes``, run id ``20261121-100000-abc123`` unless told otherwise."""
        self.add("run.started", **{"framework": "baes", "run_id": "20261121-100000-abc123", **fields})

    def run_completed(self, status: str = "completed", **fields: Any) -> None:
        """Append the seal."""
        self.add("run.completed", status=status, **fields)

    @contextmanager
    def step(self, number: int, name: str | None = None, *, status: str = "success", **ending: Any) -> Iterator[int]:
        """Append a step's start and end around what is added inside."""
        self.add("step.started", step=number, **({"name": name} if name else {}))
        yield number
        self.add("step.completed", step=number, status=status, **ending)

    def llm(self, after: float = 1.0, **fields: Any) -> None:
        """Append ``llm.started`` and, ``after`` seconds, its ``llm.completed``."""
        scope = {key: fields[key] for key in ("step", "issue", "agent", "model", "provider") if key in fields}
        call_id = fields.pop("call_id", f"c{len(self.lines)}")
        self.add("llm.started", call_id=call_id, **scope)
        self.add("llm.completed", after=after, call_id=call_id, **{"duration_s": after, **fields})

    def tool(self, name: str, after: float = 0.5, *, success: bool = True, **scope: Any) -> None:
        """Append a tool's start and, ``after`` seconds, its end."""
        call_id = f"c{len(self.lines)}"
        self.add("tool.started", tool=name, call_id=call_id, **scope)
        self.add("tool.completed", after=after, tool=name, call_id=call_id, success=success, duration_s=after, **scope)

    def data(self) -> bytes:
        """The whole journal."""
        return b"".join(self.lines)

    def events(self) -> list[Event]:
        """The typed events of the lines that are of a known type."""
        return [event for line in self.lines if isinstance(event := decode(line), Event)]

    def write(self, path: Path) -> Path:
        """Write the journal to ``path``."""
        path.write_bytes(self.data())
        return path

    def fold(self, price: Any = None, settings: FoldSettings | None = None) -> Fold:
        """Return the fold of all lines."""
        return fold_lines(self.lines, price=price, settings=settings)

    def metrics(self, price: Any = None, settings: FoldSettings | None = None) -> Metrics:
        """Return the metrics at the journal's own time."""
        return self.fold(price, settings).metrics(self.now)


def fold_lines(lines: list[bytes], *, price: Any = None, settings: FoldSettings | None = None) -> Fold:
    """Return the fold of ``lines``, fed as a follower of the file would feed them."""
    fold = Fold(price, settings or FoldSettings())
    offset = 0
    for line in lines:
        offset += len(line)
        fold.feed_line(line, offset)
    return fold


def scenario_issues() -> Journal:
    """Project 168: issue 123 with pipelines and a debugging cycle, 124 completed, 125 failed. Source: metrics.md."""
    journal = Journal()
    llm = {"provider": "deepseek", "model": "deepseek-chat", "temperature": 0.0}
    journal.run_started(run_id="run_20261121_100000_project_168", project_id=168, mode="implement_all", llm=llm)
    journal.add("issue.started", after=1, issue=123, title="Add the parser")
    _attempt(journal, 123, "coding")
    journal.add("agent.started", after=1, issue=123, agent="testing", attempt=1)
    for pipeline, sha in ((4258, "abc123"), (4259, "abc124")):
        journal.add("pipeline.completed", after=5, issue=123, pipeline_id=pipeline, status="failed", commit_sha=sha)
    cycle = {"issue": 123, "agent": "testing", "cycle": 1}
    journal.add("debug.started", after=1, **cycle, error_type="test_failure", error_message="2 tests failed")
    journal.add("debug.attempt", after=10, **cycle)
    journal.add("debug.attempt", after=10, **cycle)
    journal.add("debug.completed", after=1, **cycle, resolved=True, method="fixed the fixture")
    journal.add("pipeline.completed", after=5, issue=123, pipeline_id=4260, status="success", commit_sha="def456")
    journal.add("agent.completed", after=1, issue=123, agent="testing", attempt=1, success=True)
    _attempt(journal, 123, "review")
    journal.add("issue.completed", after=1, issue=123, status="completed")
    for issue, status in ((124, "completed"), (125, "failed")):
        journal.add("issue.started", after=1, issue=issue)
        journal.add("issue.completed", after=9, issue=issue, status=status)
    journal.run_completed(after=1)
    return journal


def _attempt(journal: Journal, issue: int, agent: str) -> None:
    journal.add("agent.started", after=1, issue=issue, agent=agent, attempt=1)
    journal.llm(issue=issue, agent=agent, prompt_tokens=1200, completion_tokens=300)
    journal.add("agent.completed", after=1, issue=issue, agent=agent, attempt=1, success=True)


def scenario_steps() -> Journal:
    """Three steps of a failing command: calls, a retry, a template step, tools, services, errors, git and samples."""
    journal = Journal()
    journal.run_started(command=["python", "experiment.py"], llm={"provider": "openai", "model": "gpt-4o"})
    journal.add("steps.planned", total=4, names=["schema", "models", "API", "tests"])
    snapshot = {"branch": "main", "head": "a" * 40, "base": "b" * 40}
    journal.add("git.snapshot", **snapshot)
    with journal.step(1, "schema"):
        journal.llm(step=1, after=2.0, prompt_tokens=1000, completion_tokens=234, cost_usd=0.0125)
        journal.llm(step=1, result="rate_limit", call_id="retried", error="429")
        journal.add("llm.retry", step=1, call_id="retried", attempt=1, backoff_s=2.0, error="429")
        journal.llm(step=1, after=2.0, call_id="retried", attempt=2, prompt_tokens=234, completion_tokens=333)
        journal.tool("read_file", step=1)
        journal.add("resource.sample", cpu_percent=85.5, rss_bytes=120_000_000, processes=3)
    with journal.step(2, "models"):
        journal.tool("write_file", step=2, success=False)
    journal.add("step.started", step=3, name="API")
    journal.add("service.started", step=3, service="registry", operation="get", call_id="s1")
    journal.add("service.retry", after=1, step=3, service="registry", call_id="s1", attempt=1, error="503")
    journal.add("service.completed", after=1, step=3, service="registry", operation="get", call_id="s1", bytes=2048)
    journal.add("error", step=3, component="validator", error_type="ValueError", message="2 checks failed")
    journal.add("warning", step=3, message="no coverage report found", where="coverage")
    journal.add("git.snapshot", **snapshot, files_created=2, files_modified=5, lines_added=120, lines_deleted=33)
    journal.add("resource.sample", after=1, cpu_percent=14.5, rss_bytes=90_000_000, processes=2)
    journal.run_completed("failed", after=1, exit_code=3, reason="exit code 3")
    return journal
