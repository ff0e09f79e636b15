"""The sample journal of docs/metrics.md: every type of event that there is, in an order in which it could happen.

Must not be random: the page is made from it, and a test makes it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runwatch.events import build, encode_any

NOW = "2026-01-05T10:05:00.000000Z"
"""When the metrics are asked for, after every event; what goes on is measured up to it."""

_RUN = {
    "framework": "demo",
    "run_id": "sample",
    "command": ["python", "agent.py"],
    "project_id": 168,
    "mode": "nightly",
    "llm": {"provider": "openai", "model": "gpt-4o", "temperature": 0.0},
    "git": {"branch": "main", "head": "a" * 40, "base": "main"},
    "settings": {"limits": {"max_cost_usd": 5.0, "max_tokens": 90_000}},
}
_MORE = {"provider": "deepseek", "model": "deepseek-chat", "temperature": 0.5}
_USE = {"prompt_tokens": 900, "completion_tokens": 300, "cache_read_tokens": 40, "cache_write_tokens": 20}
_SNAPSHOT = {
    "branch": "fix", "head": "b" * 40, "base": "c" * 40, "files_created": 1, "files_modified": 2, "files_deleted": 3,
    "files_renamed": 4, "lines_added": 50, "lines_deleted": 6, "commits": 7, "dirty": True,
}  # fmt: skip
_PLACE: dict[str, Any] = {"step": 1, "issue": 123, "agent": "testing"}

_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("run.started", _RUN),
    ("run.configured", {"project_id": 169, "mode": "manual", "llm": _MORE}),
    ("steps.planned", {"total": 2, "names": ["repair", "publish"]}),
    ("step.started", {"step": 1, "name": "repair", "source": "sdk"}),
    ("issue.started", {"step": 1, "issue": 123, "title": "Broken login"}),
    ("git.snapshot", {**_SNAPSHOT, "commits": 0}),
    ("git.snapshot", {**_SNAPSHOT, "issue": 123}),
    ("coverage.measured", {"percent": 80.0}),
    ("coverage.measured", {"percent": 81.5}),
    ("coverage.measured", {"percent": 82.5, "issue": 123}),
    ("tests.measured", {"passed": 5, "failed": 1, "skipped": 2, "errors": 3, "duration_s": 1.5}),
    ("agent.started", {**_PLACE, "attempt": 1, "max_attempts": 3}),
    ("llm.started", {**_PLACE, "call_id": "l1"}),
    ("llm.retry", {**_PLACE, "call_id": "l1", "attempt": 1, "backoff_s": 1.0, "error": "overloaded"}),
    ("llm.completed", {**_PLACE, "call_id": "l1", **_USE, "reasoning_tokens": 9, "duration_s": 2.0, "cost_usd": 0.25}),
    ("llm.completed", {**_PLACE, "request_id": "r2", "prompt_tokens": 10, "result": "rate_limit", "duration_s": 0.5}),
    ("llm.completed", {**_PLACE, "request_id": "r3", "prompt_tokens": 10, "result": "timeout", "duration_s": 9.0}),
    ("llm.completed", {**_PLACE, "request_id": "r4", "prompt_tokens": 70, "attempt": 2, "duration_s": 1.0}),
    ("llm.priced", {"ref": "r4", "cost_usd": 0.5, "prices": {"library": "l", "version": "1", "date": "2026-01-05"}}),
    ("tool.started", {**_PLACE, "tool": "grep", "call_id": "t1"}),
    ("tool.completed", {**_PLACE, "tool": "grep", "call_id": "t1", "duration_s": 0.5}),
    ("tool.completed", {**_PLACE, "tool": "grep", "duration_s": 0.7, "success": False, "error": "no match"}),
    ("service.started", {**_PLACE, "service": "registry", "operation": "get", "call_id": "s1"}),
    ("service.retry", {**_PLACE, "service": "registry", "call_id": "s1", "attempt": 1, "error": "busy"}),
    ("service.completed", {**_PLACE, "service": "registry", "call_id": "s1", "duration_s": 0.2}),
    ("service.completed", {**_PLACE, "service": "registry", "duration_s": 0.3, "success": False}),
    ("service.health", {"service": "registry", "healthy": True, "latency_s": 0.1}),
    ("service.health", {"service": "registry", "healthy": False, "latency_s": 0.2, "error": "refused"}),
    ("pipeline.started", {**_PLACE, "pipeline_id": 4258, "commit_sha": "abc", "triggered_by": "bot", "attempt": 1}),
    ("pipeline.completed", {**_PLACE, "pipeline_id": 4258, "status": "failed", "commit_sha": "abc", "attempt": 1,
                            "queued_s": 3.0, "duration_s": 60.0, "failed_jobs": ["unit"], "error_type": "test"}),
    ("debug.started", {**_PLACE, "cycle": "c1", "error_type": "test_failure", "error_message": "2 failed"}),
    ("debug.attempt", {**_PLACE, "cycle": "c1"}),
    ("debug.completed", {**_PLACE, "cycle": "c1", "resolved": True, "method": "code_fix", "duration_s": 5.0}),
    ("pipeline.completed", {**_PLACE, "pipeline_id": 4259, "status": "success", "commit_sha": "abd", "attempt": 2,
                            "started_at": "2026-01-05T10:00:30.000000Z", "ended_at": "2026-01-05T10:01:30.000000Z"}),
    ("error", {**_PLACE, "component": "adapter", "error_type": "IOError", "message": "disk", "where": "a.py:1"}),
    ("error", {**_PLACE, "component": "adapter", "error_type": "IOError", "message": "disk", "where": "a.py:1"}),
    ("agent.completed", {**_PLACE, "attempt": 1, "success": True, "duration_s": 7.0}),
    ("agent.started", {**_PLACE, "attempt": 2}),
    ("agent.completed", {**_PLACE, "attempt": 2, "success": False, "error": "gave up", "duration_s": 2.0}),
    ("outcome.verified", {"issue": 123, "agent": "testing", "success": True, "source": "forge"}),
    ("issue.completed", {"step": 1, "issue": 123, "status": "completed"}),
    ("outcome.verified", {"issue": 123, "success": False, "source": "git"}),
    ("issue.started", {"issue": 124}),
    ("issue.completed", {"issue": 124, "status": "failed"}),
    ("git.operation", {"operation": "merge", "result": "success", "duration_s": 0.4, "conflict_count": 1}),
    ("task.completed", {"worker_profile": "coder", "phase": "build", "status": "completed", "duration_s": 4.0,
                        "retry_count": 1}),
    ("tasks.state", {"states": {"waiting": 3}}),
    ("dispatch.cycle", {"duration_s": 0.1, "dispatched": 2, "completed": 1}),
    ("metric.observed", {"name": "queue_depth", "value": 4.0, "kind": "gauge", "labels": {"queue": "q"}, "help": "h"}),
    ("resource.sample", {"cpu_percent": 50.0, "rss_bytes": 9_000_000, "processes": 3, "read_bytes": 1_000_000,
                         "written_bytes": 2_000_000}),
    ("resource.sample", {"cpu_percent": 40.0, "rss_bytes": 8_000_000, "processes": 2, "read_bytes": 3_000_000,
                         "written_bytes": 4_000_000}),
    ("hitl.requested", {"question": "Merge?", "call_id": "h1"}),
    ("hitl.answered", {"answer": "yes", "wait_s": 12.0, "call_id": "h1"}),
    ("warning", {"message": "slow", "where": "proxy"}),
    ("alert.raised", {"step": 1, "rule": "service_down", "value": "registry", "threshold": 1}),
    ("limit.reached", {"rule": "max_tokens", "value": 2, "threshold": 1}),
    (
        "verification.checked",
        {"what": "usage", "expected": 1, "observed": 1, "verdict": "agrees", "source": "csv", "checks": 1},
    ),
    ("recorder.replaced", {"reason": "killed by SIGKILL"}),
    ("degraded", {"dropped": 3, "since": "2026-01-05T10:01:00.000000Z", "log_lines": 2, "output_bytes": 1}),
    ("step.completed", {"step": 1, "status": "success", "retries": 1, "note": "twice", "duration_s": 99.0}),
    ("step.started", {"step": 2, "name": "publish", "source": "sdk"}),
    ("llm.completed", {"step": 2, "model": "unheard-of", "provider": "nobody", "prompt_tokens": 5, "duration_s": 1.0}),
    ("llm.completed", {"step": 2, "model": "mute", "provider": "nobody", "duration_s": 1.0}),
    ("llm.completed", {"step": 2, "model": "mute", "provider": "nobody", "total_tokens": 5, "duration_s": 1.0}),
    ("tool.started", {"step": 2, "tool": "sed", "call_id": "t9"}),
    ("status.proposed", {"status": "resolved", "reason": "all fixed"}),
    ("run.completed", {"status": "failed", "exit_code": 3, "signal": "SIGTERM", "reason": "exit code 3"}),
]  # fmt: skip


_NO_EVENTS = (
    ("a line of an unknown type", b'{"type":"of.tomorrow"}\n'),
    ("a line that is no event", b"garbage\n"),
)
_LATE = ("a line after the seal", b'{"type":"error","message":"late"}\n')


def lines() -> Iterator[tuple[str, bytes]]:
    """Yield the journal's lines, each with what it is called on the page; three seconds from one to the next."""
    yield from _NO_EVENTS
    for number, (type_name, fields) in enumerate(_EVENTS, 1):
        minute, second = divmod(number * 3, 60)
        about = {"ts": f"2026-01-05T10:{minute:02}:{second:02}.000000Z", "mono": number * 3.0}
        event = build(type_name, {"writer": "w", "seq": number, **about, **fields})
        yield f"`{type_name}`", encode_any(event)
    yield _LATE


def types() -> set[str]:
    """Return the types of events that the journal holds."""
    return {type_name for type_name, _ in _EVENTS}
