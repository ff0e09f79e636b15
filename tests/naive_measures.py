"""Calls of tools and services, measures, instruments and trends the plain way, for the second implementation.

Must not import anything of the project. Source: metrics.md; python-api.md for the instruments' names and buckets.
"""

from __future__ import annotations

from typing import Any

from naive_journal import CLOSE, Bead, between, gap, row_of, said, text
from naive_models import PICO


def durations(found: list[int]) -> Bead:
    """Durations in microseconds as they are shown; percentiles by nearest rank, exact."""
    if not found:
        return {"total_s": 0.0, "mean_s": None, "p50_s": None, "p95_s": None, "max_s": None, "exact": []}
    ordered = sorted(found)
    ranked = [ordered[max(1, -(-len(ordered) * percent // 100)) - 1] / 1e6 for percent in (50, 95)]
    mean = round(sum(found) / len(found) / 1e6, 6)
    shown = {"total_s": sum(found) / 1e6, "mean_s": mean, "max_s": ordered[-1] / 1e6, "exact": found}
    return {**shown, "p50_s": ranked[0], "p95_s": ranked[1]}


def callees(beads: list[Bead], kind: str) -> dict[str, Any]:
    """The tools or services, the tool calls of agents as (place, issue, agent), the steps of all service calls."""
    rows: dict[str, Bead] = {}
    going: list[Bead] = []
    last: dict[Any, str] = {}
    ends, counted = [], []

    def row(name: str) -> Bead:
        return rows.setdefault(name, {"name": name, "calls": 0, "failures": 0, "retries": 0, "open": 0, "spans": []})

    for at, bead in enumerate(beads):
        if bead["type"] == CLOSE:
            for one in going:
                row(one[kind])["calls"] += 1
                row(one[kind])["failures"] += 1
                row(one[kind])["spans"].append(gap(one, bead))
                counted.append(one.get("step"))
            going = []
        if not bead["type"].startswith(kind + ".") or bead["type"] == "service.health":
            continue
        call_id = bead.get("call_id")
        opened = [one for one in going if call_id is not None and one.get("call_id") == call_id]
        name = bead.get(kind) or (opened[0][kind] if opened else "unknown")
        place = name, bead.get("step"), text(bead.get("issue")), bead.get("agent")
        key = place if call_id is None else call_id
        if bead["type"].endswith(".started"):
            row(name)
            going = [one for one in going if not any(one is other for other in opened)] + [{**bead, "place": place}]
            if call_id is not None and last.get(key) == "well":
                del last[key]
        elif bead["type"].endswith(".retry"):
            row(name)["retries"] += 1
            if last.get(key) != "failed":
                counted.append(bead.get("step"))
            last[key] = "announced"
        else:
            row(name)
            if call_id is None:
                opened = [one for one in going if one.get("call_id") is None and one["place"] == place][-1:]
            going = [one for one in going if not any(one is other for other in opened)]
            before, success = last.get(key), bead.get("success", True)
            if call_id is not None and before == "well":
                continue
            last[key] = "well" if success else "failed"
            if call_id is None and success:
                del last[key]
            again = before == "announced" or (call_id is not None and before == "failed")
            if again and (kind == "tool" or before != "announced"):
                row(name)["retries"] += 1
            row(name)["calls"] += 1
            row(name)["failures"] += not success
            span = said(bead) if bead.get("duration_s") is not None else (gap(opened[0], bead) if opened else None)
            row(name)["spans"].append(span)
            counted.append(bead.get("step"))
            if bead.get("agent") is not None:
                ends.append((at, bead.get("issue"), bead["agent"]))
    for one in going:
        row(one[kind])["open"] += 1
    for each in rows.values():
        each["successes"] = each["calls"] - each["failures"]
        each["durations"] = durations([span for span in each.pop("spans") if span is not None])
    return {"rows": list(rows.values()), "ends": ends, "counted": counted}


def code(beads: list[Bead], issue: str | None) -> Bead | None:
    """The last snapshot of an issue, or of none, and coverage from the first measure to the last."""
    own = [bead for bead in beads if text(bead.get("issue")) == issue]
    shots = [bead for bead in own if bead["type"] == "git.snapshot"]
    covered = [bead["percent"] for bead in own if bead["type"] == "coverage.measured"]
    if not shots and not covered:
        return None
    counted = ("files_created", "files_modified", "files_deleted", "files_renamed", "lines_added", "lines_deleted")
    return {
        **{name: shots[-1].get(name) if shots else None for name in ("branch", "head", "base")},
        **{name: shots[-1].get(name, 0) if shots else None for name in (*counted, "commits")},
        "dirty": shots[-1].get("dirty", False) if shots else None,
        "coverage_percent": covered[-1] if covered else None,
        "coverage_change": round(covered[-1] - covered[0], 4) if len(covered) > 1 else None,
    }


def tests_run(beads: list[Bead]) -> Bead | None:
    runs = [bead for bead in beads if bead["type"] == "tests.measured"]
    measured = [bead for bead in runs if not bead.get("gone")]
    if not measured:
        return None
    files = [bead for bead in runs if bead.get("file") is not None]
    plain = [bead for bead in measured if bead.get("file") is None]
    named = {bead["file"]: bead for bead in files}.values()
    stand = [bead for bead in named if not bead.get("gone")] if measured[-1].get("file") is not None else plain[-1:]
    times = [bead["duration_s"] for bead in stand if bead.get("duration_s") is not None]
    written = [bead["file"] for bead in files if not bead.get("gone")]
    return {
        **{name: sum(bead.get(name, 0) for bead in stand) for name in ("passed", "failed", "skipped", "errors")},
        "duration_s": sum(round(time * 1e6) for time in times) / 1e6 if times else None,
        "runs": len(plain) + max(map(written.count, written), default=0),
    }


def resources(beads: list[Bead]) -> Bead:
    samples = [bead for bead in beads if bead["type"] == "resource.sample"]
    last = samples[-1] if samples else {}
    cpu = [bead.get("cpu_percent", 0.0) for bead in samples]
    return {
        "samples": len(samples), "cpu_percent": last.get("cpu_percent", 0.0),
        "mean_cpu_percent": round(sum(cpu) / len(cpu), 2) if cpu else None, "rss_bytes": last.get("rss_bytes", 0),
        "peak_rss_bytes": max((bead.get("rss_bytes", 0) for bead in samples), default=0),
        "processes": last.get("processes", 0),
        **{
            name: max((bead[name] for bead in samples if bead.get(name) is not None), default=None)
            for name in ("read_bytes", "written_bytes")
        },
    }  # fmt: skip


def health(beads: list[Bead]) -> list[Bead]:
    checks = [bead for bead in beads if bead["type"] == "service.health"]
    rows = []
    for service in dict.fromkeys(bead["service"] for bead in checks):
        own = [bead for bead in checks if bead["service"] == service]
        rows.append(
            {
                "service": service, "healthy": own[-1]["healthy"], "latency_s": own[-1].get("latency_s"),
                "error": own[-1].get("error"), "time": own[-1]["_ts"], "checks": len(own),
                "failures": sum(not bead["healthy"] for bead in own),
            }
        )  # fmt: skip
    return rows


def errors(beads: list[Bead]) -> list[Bead]:
    groups: dict[Any, Bead] = {}
    for bead in beads:
        if bead["type"] == "error":
            key = bead.get("error_type"), bead.get("message", "")
            group = {"error_type": key[0], "message": key[1], "count": 0, "first_time": bead["_ts"]}
            group.update((name, bead.get(name)) for name in ("step", "component", "where"))
            group["issue"] = bead["_issue"]
            groups.setdefault(key, group)["count"] += 1
    return list(groups.values())


def checks(beads: list[Bead]) -> list[Bead]:
    made = [bead for bead in beads if bead["type"] == "verification.checked"]

    def is_over(bead: Bead, later: Bead) -> bool:
        if later["what"] == bead["what"]:
            return True
        is_part = later.get("checks") is not None and bead["what"].startswith(later["what"] + " ")
        return is_part and (later["checks"] > 0 or later.get("digest") != bead.get("digest"))

    last = [one for at, one in enumerate(made) if not any(is_over(one, other) for other in made[at + 1 :])]
    return [
        {"what": one["what"], "verdict": one.get("verdict", ""), "source": one.get("source"), "time": one["_ts"],
         "checks": one.get("checks")}
        for one in last
    ]  # fmt: skip


def questions(beads: list[Bead]) -> list[Bead]:
    asked: list[Bead] = []
    for bead in beads:
        waiting = [one for one in asked if one["wait_s"] is None and not one["lost"]]
        if bead["type"] == CLOSE:
            for one in waiting:
                one["wait_s"] = (gap(one["since"], bead) or 0) / 1e6
        elif bead["type"] == "hitl.requested":
            for one in waiting:
                one["lost"] = one["lost"] or (bead.get("call_id") is not None and one["id"] == bead["call_id"])
            asked.append(
                {
                    "question": bead["question"], "answer": None, "time": bead["_ts"], "wait_s": None, "since": bead,
                    "id": bead.get("call_id"), "lost": False,
                }
            )  # fmt: skip
        elif bead["type"] == "hitl.answered":
            mine = [one for one in waiting if one["id"] == bead.get("call_id")]
            if mine:
                wait = said(bead, "wait_s")
                mine[-1]["answer"] = bead.get("answer")
                mine[-1]["wait_s"] = (wait if wait is not None else gap(mine[-1]["since"], bead) or 0) / 1e6
    return [row_of(one, "since", "id", "lost") for one in asked]


def losses(beads: list[Bead]) -> Bead:
    told = [bead for bead in beads if bead["type"] == "degraded"]
    writers = {bead.get("of") or bead.get("writer") for bead in told}
    totals = {}
    for shown, name in (("dropped", "dropped"), ("lost_log_lines", "log_lines"), ("lost_output_bytes", "output_bytes")):
        most = [
            max(bead.get(name, 0) for bead in told if (bead.get("of") or bead.get("writer")) == writer)
            for writer in writers
        ]
        totals[shown] = sum(most)
    since = min((bead.get("since") or bead["_ts"] for bead in told), default=None)
    return {**totals, "dropped_since": since}


EDGES_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400)
EDGES_N = (0, 1, 2, 3, 5, 10, 20, 50, 100)


def instruments(beads: list[Bead], calls: list[Bead], models: list[Bead]) -> dict[Any, Any]:
    """(name, labels in order) to the value of a counter or gauge, or what a histogram observed: count, sum, buckets."""
    run_id = next((bead["run_id"] for bead in beads if bead["type"] == "run.started"), "")
    values: dict[Any, float] = {}
    observed: dict[Any, list[float]] = {}
    kinds: dict[str, str] = {}

    def put(name: str, kind: str, value: float | None, labels: dict[str, Any], *, adds: bool = True) -> None:
        if value is None or (kind == "histogram" and value < 0):
            return
        kind = kinds.setdefault(name, "counter" if name.endswith("_total") else kind)
        key = name, tuple(sorted((label, "" if word is None else word) for label, word in labels.items()))
        if kind == "histogram":
            observed.setdefault(key, []).append(value)
        elif kind == "gauge" or value >= 0:
            values[key] = values.get(key, 0.0) + value if adds else value

    for bead in beads:
        get = bead.get
        if bead["type"] == "metric.observed":
            kind = get("kind", "gauge")
            adds = kind != "gauge" or get("delta", False)
            put(bead["name"], kind, bead["value"], get("labels", {}), adds=adds)
        elif bead["type"] == "git.operation":
            operation, result = bead["operation"], get("result", "success")
            if operation == "merge":
                put("git_merge_total", "counter", 1, {"result": result})
                put("git_merge_duration_seconds", "histogram", get("duration_s"), {})
                put("git_conflicts_per_merge", "histogram", get("conflict_count"), {})
            elif operation == "checkout":
                put("git_checkout_duration_seconds", "histogram", get("duration_s"), {})
            elif operation == "conflict_resolution":
                labels = {"result": result, "method": get("method")}
                put("git_conflict_resolution_total", "counter", 1, labels)
                put("git_conflict_resolution_duration_seconds", "histogram", get("duration_s"), {})
            elif operation in ("worktree_create", "worktree_remove"):
                labels = {"operation": operation.split("_")[1], "result": result}
                put("git_worktree_operations_total", "counter", 1, labels)
                if operation == "worktree_create":
                    put("git_worktree_creation_duration_seconds", "histogram", get("duration_s"), {})
        elif bead["type"] == "task.completed":
            who = {"worker_profile": get("worker_profile")}
            put("task_completion_total", "counter", 1, {**who, "status": get("status")})
            put("task_execution_duration_seconds", "histogram", get("duration_s"), {**who, "phase": get("phase")})
            put("task_retry_count", "histogram", get("retry_count"), {})
        elif bead["type"] == "tasks.state":
            for name, labels in [key for key in values if key[0] == "tasks_by_state"]:
                values[name, labels] = 0
            for status, number in get("states", {}).items():
                put("tasks_by_state", "gauge", number, {"status": status}, adds=False)
        elif bead["type"] == "dispatch.cycle":
            put("dispatch_loop_iterations_total", "counter", 1, {"run_id": run_id})
            put("dispatch_loop_cycle_duration_seconds", "histogram", get("duration_s"), {})
            put("dispatch_tasks_dispatched_per_cycle", "histogram", get("dispatched"), {})
            put("dispatch_worker_completions_per_cycle", "histogram", get("completed"), {})
    for model in models:
        labels = {"provider": model["provider"], "model": model["model"]}
        bad = model["failures"] - model["rate_limits"] - model["timeouts"]
        results = {"success": model["calls"] - model["failures"], "rate_limit": model["rate_limits"], "error": bad}
        for result, number in {**results, "timeout": model["timeouts"]}.items():
            put("llm_requests_total", "counter", number or None, {**labels, "result": result})
        rest = model["tokens"]["total"] - model["tokens"]["prompt"] - model["tokens"]["completion"]
        for kind, number in {**model["tokens"], "unsplit": rest}.items():
            if kind in ("prompt", "completion", "unsplit"):
                put("llm_tokens_total", "counter", number or None, {**labels, "kind": kind})
        put("llm_cost_dollars_total", "counter", model["cost_usd"], labels)
        put("llm_rate_limit_events_total", "counter", model["rate_limits"] or None, labels)
        for span in model["durations"]["exact"]:
            put("llm_request_duration_seconds", "histogram", span / 1e6, labels)
    return {**values, **{key: _histogram(key[0], found) for key, found in observed.items()}}


def _histogram(name: str, found: list[float]) -> tuple[int, float, list[int]]:
    edges = (*(EDGES_S if name.endswith("_seconds") else EDGES_N), float("inf"))
    lower = (float("-inf"), *edges)
    buckets = [sum(low < value <= high for value in found) for low, high in zip(lower, edges, strict=False)]
    return len(found), sum(found), buckets


def series(beads: list[Bead], calls: list[Bead]) -> Bead:
    """Trends in at most 120 buckets from the second in which the run began; their width doubles until all fit.

    A call that does not count, because another source saw more, has its time in them and no numbers.
    """
    start = next((bead["_ts"] for bead in beads if bead["type"] == "run.started" and bead["_ts"]), None)
    used = [call for call in calls if call["raw"] is not None or call["pico"]]
    samples = [bead for bead in beads if bead["type"] == "resource.sample"]
    times = [call["ts"] for call in used] + [bead["_ts"] for bead in samples]
    if start is None and times:
        start = min(
            zip(
                [call.get("used_at", call["at"]) for call in used] + [beads.index(bead) for bead in samples],
                times,
                strict=True,
            )
        )[1]
    if not times or start is None:
        return {"bucket_s": 1.0, "tokens": [], "cost_usd": [], "cpu_percent": [], "rss_bytes": []}
    origin = start[:19] + "Z"
    second = [(between(origin, ts) or 0) // 1_000_000 for ts in times]
    width = 1
    while max(second) // width >= 120:
        width *= 2
    size = max(second) // width + 1
    rows: list[Bead] = [{"tokens": 0, "pico": 0, "cpu": [], "rss": [0]} for _ in range(size)]
    for call, at in zip(used, second, strict=False):
        if call["counts"]:
            rows[at // width]["tokens"] += call["tokens"][5]
            rows[at // width]["pico"] += call["pico"] or 0
    for bead, at in zip(samples, second[len(used) :], strict=True):
        rows[at // width]["cpu"].append(bead.get("cpu_percent", 0.0))
        rows[at // width]["rss"].append(bead.get("rss_bytes", 0))
    return {
        "bucket_s": float(width),
        "tokens": [row["tokens"] for row in rows],
        "cost_usd": [row["pico"] / PICO for row in rows],
        "cpu_percent": [round(sum(row["cpu"]) / len(row["cpu"]), 2) if row["cpu"] else 0.0 for row in rows],
        "rss_bytes": [max(row["rss"]) for row in rows],
    }
