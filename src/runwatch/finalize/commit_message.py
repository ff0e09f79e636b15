"""The message of a run's commit: one subject, five lines, trailers.

Must not read anything. Source: finalizer.md, "The commit". The subject and the first trailer are how runwatch's own
commits are told from the user's (vcs.branch).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from runwatch.finalize.state import Archive
from runwatch.fold.metrics import CodeMetrics, Metrics
from runwatch.units import count, count_short, duration_long, size, usd
from runwatch.visible import visible

_WIDTH = 100
"""Longest free text in a line, in characters."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What the message says. Text that came from outside must be redacted already."""

    framework: str
    """What was run."""
    run_id: str
    """Which run."""
    status: str
    """How it ended."""
    reason: str | None = None
    """Why, in one line."""
    duration_s: float | None = None
    """Seconds."""
    model: str | None = None
    """``provider/model``."""
    llm_calls: int = 0
    """Model calls that ended."""
    tokens: int = 0
    """Of all model calls."""
    cost_usd: float | None = None
    """None when nothing has a known price."""
    steps_done: int = 0
    """Steps that ended well."""
    steps: int = 0
    """Steps."""
    errors: int = 0
    """Recorded errors."""
    code: CodeMetrics | None = None
    """The branch against its base; None without git."""
    since: str | None = None
    """What became known last after the run's end; None at the end itself."""
    archive_sha256: str | None = None
    """None without an archive."""
    archive_size_bytes: int | None = None
    """Of the archive."""
    archive_members: int | None = None
    """Files in it."""

    @classmethod
    def of(
        cls,
        metrics: Metrics,
        *,
        framework: str,
        run_id: str,
        status: str,
        archive: Archive | None,
        redact: Callable[[str], str],
        is_later: bool = False,
    ) -> Message:
        """Return the message for a run; ``redact`` takes secrets out of text.

        ``framework`` and ``run_id`` are what its folders are called, for a run that does not tell its own name.
        ``is_later``: something became known after the end, and is folded.
        """
        run = metrics.run
        steps = metrics.steps or ([metrics.whole] if metrics.whole else [])
        named = [part for part in (run.llm_configuration.provider, run.llm_configuration.model) if part]
        return cls(
            framework=redact(run.framework or framework),
            run_id=redact(run.run_id or run_id),
            status=redact(status),
            reason=redact(run.reason) if run.reason else None,
            duration_s=run.duration_seconds,
            model=redact("/".join(named)) or None,
            llm_calls=run.llm_calls,
            tokens=run.tokens.total,
            cost_usd=run.cost_usd,
            steps_done=sum(step.status == "success" for step in steps),
            steps=len(steps),
            errors=run.errors,
            code=metrics.code,
            since=redact(_newest(metrics)) if is_later else None,
            archive_sha256=archive.sha256 if archive else None,
            archive_size_bytes=archive.size_bytes if archive else None,
            archive_members=archive.members if archive else None,
        )

    def text(self) -> str:
        """Return the whole message."""
        name = f"{_line(self.framework)}/{_line(self.run_id)}"
        trailers = {
            "Runwatch-Run": name,
            "Runwatch-Status": _line(self.status),
            "Runwatch-Cost-USD": None if self.cost_usd is None else f"{self.cost_usd:.6f}",
            "Runwatch-Tokens": str(self.tokens),
            "Runwatch-Archive-SHA256": self.archive_sha256,
        }
        ends = "\n".join(f"{key}: {value}" for key, value in trailers.items() if value is not None)
        since = f", since then {_line(self.since)}" if self.since else ""
        return f"runwatch: {name} {_line(self.status)}{since}\n\n{self._body()}\n\n{ends}\n"

    def _body(self) -> str:
        lines = (
            f"Result: {self._result()}",
            f"Model: {self._usage()}",
            f"Steps: {self.steps_done} of {self.steps} ended well, {_counted(self.errors, 'error')}",
            f"Code: {self._changes()}",
            f"Archive: {self._archive()}",
        )
        return "\n".join(lines)

    def _result(self) -> str:
        after = "" if self.duration_s is None else f" after {duration_long(self.duration_s)}"
        return _line(self.status) + after + (f": {_line(self.reason)}" if self.reason else "")

    def _usage(self) -> str:
        if not self.llm_calls and not self.tokens:
            return f"{_line(self.model)}, not called" if self.model else "unknown"
        spent = f"{_counted(self.llm_calls, 'call')}, {count_short(self.tokens)} tokens, {usd(self.cost_usd)}"
        return f"{_line(self.model or 'unknown')}, {spent}"

    def _changes(self) -> str:
        seen = None if self.code is None else self.code.changes
        if seen is None:
            return "not measured"
        lines = f"+{count(seen.lines_added)} -{count(seen.lines_deleted)}"
        return f"{_counted(seen.files, 'file')}, {lines}, {_counted(seen.commits, 'commit')}"

    def _archive(self) -> str:
        if self.archive_sha256 is None:
            return "none"
        sizes = size(self.archive_size_bytes) if self.archive_size_bytes is not None else "size unknown"
        return f"run.tar.gz, {sizes}" + (f", {_counted(self.archive_members, 'file')}" if self.archive_members else "")


def _newest(metrics: Metrics) -> str:
    """Return the check or the outcome that was noted last: ``usage agrees``, ``issue 123: success by git``."""
    noted = [notice for notice in metrics.notices if notice.kind in ("verification.checked", "outcome.verified")]
    if not noted:
        return ""
    if noted[-1].kind == "verification.checked" and metrics.checks:
        return f"{metrics.checks[-1].what} {metrics.checks[-1].verdict}"
    return noted[-1].message.partition(", ")[0]


def _counted(number: int, what: str) -> str:
    return f"{count(number)} {what}" if number == 1 else f"{count(number)} {what}s"


def _line(text: str) -> str:
    """Return text as one harmless line that is not too long."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
