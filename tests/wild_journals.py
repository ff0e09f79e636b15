"""Journals of everything that can happen, in any order: interleaved, with lost and repeated lines and garbage.

Must not read a random source of its own: a seed gives the same bytes each time.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from journals import START, Journal, text_of

Fields = dict[str, Any]
_ISSUES = (None, 7, "7", "x", 12)
_AGENTS = (None, "coding", "testing")
_GARBAGE = (
    b"garbage", b'{"type":"step.star', b'{"type":"from.later","x":1,"step":9}', b'{"no":1}', b"\n", b"\xff\xfe", b"[1]",
    b'{"type":"tool.started"}', b'{"type":"llm.completed","prompt_tokens":"12","completion_tokens":"3","step":"2"}',
    b'{"type":"llm.completed","prompt_tokens":1000000000001,"step":9}',
    b'{"type":"llm.completed","prompt_tokens":-5,"model":"gpt-4o"}', b'{"type":"step.started","step":-5,"name":"n"}',
    b'{"type":"llm.completed","prompt_tokens":7,"model":"gpt-4o","step":99999999999}',
    b'{"type":"step.completed","step":"0","status":"failed"}',
    b'{"type":"tool.completed","tool":"t","mono":2e10}', b'{"type":"llm.completed","prompt_tokens":"many"}',
    b'{"type":"error","message":"m","ts":"yesterday"}',
    b'{"type":"step.started","step":3,"ts":"2026-11-21T12:00:30+02:00"}', b'{"type":"warning","message":"no time"}',
)  # fmt: skip


def wild_run(seed: int, events: int = 130) -> tuple[list[bytes], list[bytes]]:
    """Return the lines of a journal and of what became known after its end."""
    rng = random.Random(seed)
    journal = Journal()
    if rng.random() < 0.9:
        settings: Fields = {"limits": {"max_cost_usd": 5.5, "max_tokens": 10}} if rng.random() < 0.5 else {}
        if rng.random() < 0.5:
            settings["complexity"] = {"churn": 0.5, "files": 2, "retries": 0.25}
        llm = {"provider": "openai", "model": "gpt-4o", "temperature": 0.5} if rng.random() < 0.4 else None
        journal.run_started(llm=llm, settings=settings, project_id=rng.choice((None, 168, "p")))
    if rng.random() < 0.3:
        named = rng.choice(({"provider": "deepseek"}, {"model": "deepseek-chat", "temperature": 0.0}))
        journal.add("run.configured", llm=named, mode="m")
    kinds = [*_EVENTS, *(kind for kind in _EVENTS for _ in range(4) if kind in (_answer, _attempt, _tool, _service))]
    for _ in range(events):
        _add(journal, rng, rng.choice(kinds))
        if rng.random() < 0.1:
            journal.foreign(rng.choice(_GARBAGE))
        if rng.random() < 0.08:
            journal.lines.append(rng.choice(journal.lines))
        if rng.random() < 0.04 and journal.lines[-1].startswith(b'{"type"'):
            journal.lines[-1] = journal.lines[-1][: rng.randrange(2, 40)] + journal.lines[-1]
    post = Journal(start=START + timedelta(days=2), writer="later")
    if rng.random() < 0.8:
        journal.run_completed(rng.choice(("completed", "failed", "interrupted")), after=1, exit_code=rng.choice((0, 3)))
        for _ in range(rng.choice((0, 0, 2))):
            _add(journal, rng, rng.choice(kinds))
            _add(post, rng, rng.choice((_truth, _pipeline, _check, _price, _cycle)))
    return journal.lines, post.lines


def _add(journal: Journal, rng: random.Random, kind: Callable[[random.Random], tuple[str, Fields]]) -> None:
    name, fields = kind(rng)
    envelope: Fields = {}
    if rng.random() < 0.1:
        envelope["writer"] = "w2"
    if rng.random() < 0.1:
        envelope["mono"] = None
    if rng.random() < 0.05:  # a clock that was set back
        envelope["ts"] = text_of(journal.start + timedelta(seconds=max(0.0, journal.elapsed_s - rng.random() * 20)))
    if rng.random() < 0.1 and name.startswith("llm."):
        envelope.update(writer=None, seq=None)
    after = rng.choice((0.0, rng.random(), rng.random() * 3))
    writer = envelope.pop("writer", "w1")
    if writer is None:
        envelope["writer"] = None
        journal.wait(after)
        whole = {"ts": journal.now, **fields, **{key: value for key, value in envelope.items() if value is not None}}
        journal.foreign(_plain(name, whole))
    else:
        journal.add(name, after=after, writer=writer, **{**fields, **envelope})


def _plain(name: str, fields: Fields) -> bytes:
    """A line as a program in another language writes it, without an envelope."""
    return json.dumps({"type": name, **fields}).encode()


def _given(**fields: Any) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _scope(rng: random.Random) -> Fields:
    return _given(step=rng.choice((None, 1, 2, 3)), issue=rng.choice(_ISSUES), agent=rng.choice(_AGENTS))


def _identity(rng: random.Random) -> Fields:
    return {} if rng.random() < 0.4 else {"call_id": f"c{rng.randrange(25)}"}


def _maybe_s(rng: random.Random) -> float | None:
    return rng.choice((None, None, round(rng.random() * 40, 6), -1.0))


def _step(rng: random.Random) -> tuple[str, Fields]:
    if rng.random() < 0.6:
        return "step.started", _given(step=rng.choice((None, 1, 2, 3, 4)), name=rng.choice((None, "s")))
    fields = {"status": rng.choice(("success", "failed", "skipped")), "retries": rng.choice((0, 2))}
    return "step.completed", _given(step=rng.choice((None, 1, 2, 3, 4)), duration_s=_maybe_s(rng), **fields)


def _plan(rng: random.Random) -> tuple[str, Fields]:
    return "steps.planned", _given(total=rng.randrange(5), names=rng.choice((None, ["a", "b"])))


def _issue(rng: random.Random) -> tuple[str, Fields]:
    issue = rng.choice((7, "7", "x", 12))
    if rng.random() < 0.5:
        return "issue.started", _given(issue=issue, title=rng.choice((None, "t")))
    status = rng.choice(("completed", "Merged", "failed"))
    return "issue.completed", _given(issue=issue, status=status, duration_s=_maybe_s(rng))


def _attempt(rng: random.Random) -> tuple[str, Fields]:
    scope = {**_scope(rng), **_identity(rng), **_given(attempt=rng.choice((None, 1, 2, 3)))}
    if rng.random() < 0.5:
        return "agent.started", {**scope, **_given(max_attempts=rng.choice((None, 2, 3)))}
    return "agent.completed", {**scope, **_given(success=rng.random() < 0.5, error="e", duration_s=_maybe_s(rng))}


def _question(rng: random.Random) -> tuple[str, Fields]:
    return "llm.started", {**_identity(rng), **_scope(rng), **_given(model=rng.choice((None, "gpt-4o", "unpriced")))}


def _answer(rng: random.Random) -> tuple[str, Fields]:
    fields = _given(
        prompt_tokens=rng.choice((None, rng.randrange(5000))),
        completion_tokens=rng.choice((None, rng.randrange(900))),
        cache_read_tokens=rng.choice((None, None, rng.randrange(900))),
        cache_write_tokens=rng.choice((None, None, rng.randrange(90))),
        reasoning_tokens=rng.choice((None, None, rng.randrange(500))),
        total_tokens=rng.choice((None, rng.randrange(9000))),
        request_id=rng.choice((None, f"r{rng.randrange(20)}")),
        cost_usd=rng.choice((None, None, round(rng.random(), 7))),
        provider=rng.choice((None, None, "openai")),
        model=rng.choice((None, "gpt-4o", "openai/gpt-4o-2024-08-06", "unpriced")),
        attempt=rng.choice((None, 1, 2, 3)),
        source=rng.choice((None, None, None, "otlp.span", "usage")),
        counter=rng.choice((None, None, None, None, "session")),
        duration_s=_maybe_s(rng),
        result=rng.choice(("success", "success", "rate_limit", "timeout", "error")),
    )
    if rng.random() < 0.3:  # so that sources tell of one call: the same tokens, or none
        for kind in ("prompt", "completion", "cache_read", "cache_write", "reasoning", "total"):
            fields.pop(f"{kind}_tokens", None)
        used: tuple[Fields, ...] = (
            {}, {"prompt_tokens": 100, "completion_tokens": 10}, {"total_tokens": 110},
            {"prompt_tokens": 100, "completion_tokens": 10, "cache_read_tokens": 40, "reasoning_tokens": 4},
            {"prompt_tokens": 60, "completion_tokens": 10},
        )  # fmt: skip
        fields |= {**rng.choice(used), "result": "success"}
        place = rng.choice(({"issue": 7, "agent": "coding"}, {"issue": 7, "agent": "coding"}, {"issue": 7}, {}))
        return "llm.completed", {**_identity(rng), **_given(step=rng.choice((None, 1, 2, 3))), **place, **fields}
    return "llm.completed", {**_identity(rng), **_scope(rng), **fields}


def _again(rng: random.Random) -> tuple[str, Fields]:
    return "llm.retry", {**_identity(rng), **_scope(rng), **_given(attempt=rng.choice((None, 1, 2)))}


def _price(rng: random.Random) -> tuple[str, Fields]:
    ref = rng.choice((f"r{rng.randrange(20)}", f"w1:{rng.randrange(1, 120)}", "#:1"))
    prices = rng.choice(({}, {"library": "l", "version": "1", "date": "2026-01-02"}))
    return "llm.priced", _given(ref=ref, cost_usd=rng.choice((None, 0.25, 0.0000123)), prices=prices)


def _tool(rng: random.Random) -> tuple[str, Fields]:
    scope = {**_identity(rng), **_scope(rng), "tool": rng.choice("ab")}
    if rng.random() < 0.5:
        return "tool.started", scope
    return "tool.completed", {**scope, **_given(success=rng.random() < 0.6, duration_s=_maybe_s(rng))}


def _service(rng: random.Random) -> tuple[str, Fields]:
    scope = {**_identity(rng), **_scope(rng)}
    match rng.randrange(3):
        case 0:
            return "service.started", {**scope, "service": rng.choice("st")}
        case 1:
            fields = _given(success=rng.random() < 0.6, duration_s=_maybe_s(rng))
            return "service.completed", {**scope, "service": rng.choice("st"), **fields}
        case _:
            return "service.retry", {**scope, **_given(service=rng.choice((None, "s")), attempt=1)}


def _check(rng: random.Random) -> tuple[str, Fields]:
    error = rng.choice((None, "down"))
    return "service.health", _given(service=rng.choice("st"), healthy=error is None, error=error, latency_s=0.1)


def _pipeline(rng: random.Random) -> tuple[str, Fields]:
    scope = {**_scope(rng), "pipeline_id": rng.choice((1, "1", 2, 3)), **_given(attempt=rng.choice((None, None, 1, 2)))}
    if rng.random() < 0.4:
        fields = _given(commit_sha=rng.choice((None, "abc")))
        more = random.Random(str(sorted(scope.items(), key=str)))
        return "pipeline.started", {**scope, **fields, **_given(queued_s=more.choice((None, 2.5)))}
    times = {"started_at": "2026-11-21T10:00:01Z", "ended_at": "2026-11-21T11:00:09+01:00"}
    fields = _given(
        status=rng.choice(
            (
                "success",
                "failed",
                "canceled",
                "timeout",
                "PASSED",
                "timed out",
                "Cancelled",
                "odd",
                "pending",
                "Running",
            )
        ),
        queued_s=rng.choice((None, 1.5)),
        duration_s=_maybe_s(rng),
        failed_jobs=rng.choice((None, [], ["lint"])),
        error_type=rng.choice((None, "test_failure")),
    )
    more = random.Random(str(sorted(fields.items())))
    fields |= _given(
        commit_sha=more.choice((None, None, "abc", "abcdef1", "abcdef123", "def")),
        goes_on=more.choice((None, None, None, True)),
    )
    return "pipeline.completed", {**scope, **fields, **(times if rng.random() < 0.3 else {})}


def _cycle(rng: random.Random) -> tuple[str, Fields]:
    scope = {**_scope(rng), **_given(cycle=rng.choice((None, 1, "1", 2)))}
    match rng.randrange(3):
        case 0:
            return "debug.started", {**scope, **_given(error_type=rng.choice((None, "test_failure")))}
        case 1:
            return "debug.attempt", scope
        case _:
            return "debug.completed", {**scope, **_given(resolved=rng.random() < 0.6, duration_s=_maybe_s(rng))}


def _truth(rng: random.Random) -> tuple[str, Fields]:
    source = rng.choice(("git", "forge", "ci", "person"))
    return "outcome.verified", {**_scope(rng), "success": rng.random() < 0.5, "source": source}


def _snapshot(rng: random.Random) -> tuple[str, Fields]:
    names = ("files_created", "files_modified", "files_deleted", "files_renamed", "lines_added", "lines_deleted")
    numbers = {name: rng.randrange(50) for name in names}
    return "git.snapshot", {**_given(issue=rng.choice(_ISSUES), branch="b"), **numbers, "dirty": rng.random() < 0.5}


def _coverage(rng: random.Random) -> tuple[str, Fields]:
    return "coverage.measured", _given(issue=rng.choice(_ISSUES), percent=round(rng.random() * 100, 2))


def _measure(rng: random.Random) -> tuple[str, Fields]:
    if rng.random() < 0.4:
        return "tests.measured", _given(
            passed=rng.randrange(9), failed=1, duration_s=rng.choice((None, 2.5)),
            file=rng.choice((None, "a.xml", "b.xml")), gone=rng.choice((None, None, True)),
        )  # fmt: skip
    fields = _given(read_bytes=rng.choice((None, rng.randrange(10**6))), written_bytes=rng.choice((None, 5)))
    return "resource.sample", {"cpu_percent": rng.random() * 100, "rss_bytes": rng.randrange(10**9), **fields}


def _operation(rng: random.Random) -> tuple[str, Fields]:
    operation = rng.choice(("merge", "checkout", "worktree_create", "worktree_remove", "conflict_resolution", "gc"))
    fields = _given(conflict_count=rng.choice((None, 3)), method=rng.choice((None, "llm")), duration_s=rng.random() * 9)
    return "git.operation", {"operation": operation, "result": rng.choice(("success", "conflict")), **fields}


def _task(rng: random.Random) -> tuple[str, Fields]:
    match rng.randrange(3):
        case 0:
            fields = _given(
                phase="build", status="done", duration_s=rng.random() * 99, retry_count=rng.choice((None, 2))
            )
            return "task.completed", {"worker_profile": rng.choice("pq"), **fields}
        case 1:
            return "tasks.state", {"states": {rng.choice(("todo", "doing")): rng.randrange(5)}}
        case _:
            return "dispatch.cycle", _given(duration_s=rng.random(), dispatched=rng.choice((None, 2)), completed=1)


def _observation(rng: random.Random) -> tuple[str, Fields]:
    kind = rng.choice(("counter", "gauge", "histogram"))
    name = {"counter": rng.choice(("n_total", "llm_requests_total")), "gauge": "level", "histogram": "wait_seconds"}[
        kind
    ]
    labels = {"result": "success", "model": "gpt-4o", "provider": "openai"} if name.startswith("llm") else {"l": "a"}
    return "metric.observed", {
        "name": name, "kind": kind, "value": round(rng.random() * 20 - 2, 3), "delta": rng.random() < 0.4,
        "labels": labels,
    }  # fmt: skip


def _notice(rng: random.Random) -> tuple[str, Fields]:
    match rng.randrange(6):
        case 0 | 1:
            return "error", {**_scope(rng), **_given(message=rng.choice("mn"), error_type=rng.choice((None, "E")))}
        case 2:
            return "warning", {**_scope(rng), "message": "w"}
        case 3:
            return rng.choice(("alert.raised", "limit.reached")), {"rule": "cost", "value": 1}
        case 4:
            return "recorder.replaced", {"reason": "killed"}
        case _:
            return "degraded", {
                "dropped": rng.randrange(20),
                "log_lines": rng.randrange(3),
                **_given(of=rng.choice((None, "w9"))),
            }


def _wait(rng: random.Random) -> tuple[str, Fields]:
    if rng.random() < 0.5:
        return "hitl.requested", {**_identity(rng), "question": "q"}
    return "hitl.answered", {**_identity(rng), **_given(answer=rng.choice((None, "y")), wait_s=_maybe_s(rng))}


def _proposal(rng: random.Random) -> tuple[str, Fields]:
    return "status.proposed", {"status": rng.choice(("completed", "failed"))}


_EVENTS = (
    _step, _step, _plan, _issue, _attempt, _question, _question, _answer, _again, _price, _tool, _service, _check,
    _pipeline, _cycle, _truth, _snapshot, _coverage, _measure, _operation, _task, _observation, _notice, _wait,
    _proposal,
)  # fmt: skip
