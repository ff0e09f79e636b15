"""A second implementation of every metric: plain loops over the JSON lines of a journal, slow on purpose.

Must not import anything of the project: it is held against the fold, which counts in one pass. Source: metrics.md.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from naive_journal import CLOSE, Bead, between, gap, rate, read, row_of, text, well
from naive_measures import (
    callees,
    checks,
    code,
    durations,
    errors,
    health,
    instruments,
    losses,
    questions,
    resources,
    series,
    tests_run,
)
from naive_models import PICO, Price, model_calls, name_of, run_names, sums
from naive_work import (
    attempt_list,
    cycle_list,
    cycle_totals,
    issue_list,
    newest,
    pipeline_list,
    pipeline_totals,
    step_list,
)


def naive_metrics(lines: list[bytes], price: Price, now: str, post: list[bytes] | None = None) -> dict[str, Any]:
    """All metrics under the names of the fold's."""
    beads, counts = read(lines, post or [])
    calls = model_calls(beads, price)
    counted = [call for call in calls if call["counts"]]
    tools = callees(beads, "tool")
    services = callees(beads, "service")
    cycles = cycle_list(beads, now)
    tries = [one for cycle in cycles for one in cycle["tries"]]
    attempts = attempt_list(beads, tries, tools["ends"])
    pipelines = pipeline_list(beads)
    steps, current, plan = step_list(beads, now)
    agents = _agents(beads, calls, tries, tools["ends"], attempts)
    issues = [
        _issue(beads, issue, agents, attempts, pipelines, cycles, counted, now) for issue in issue_list(beads, now)
    ]
    ended = [issue["status"] for issue in issues if issue["status"] is not None]
    good = sum(well(status) for status in ended)
    facts = _facts(beads, now)
    models = _models(calls, facts["llm_configuration"])
    run = {
        **facts,
        **sums(counted),
        "steps_planned": plan["total"],
        "step_names": plan["names"],
        "issues_processed": [issue["issue"] for issue in issues],
        "total_successes": good,
        "total_errors": len(ended) - good,
        "issues_open": len(issues) - len(ended),
        "steps_by_status": dict(Counter(step["status"] or "running" for step in steps)),
        "success_rate": rate(good, len(ended)),
        "errors": sum(bead["type"] == "error" for bead in beads),
        "unpriced_models": list(dict.fromkeys(model["model"] for model in models if model["calls_without_price"])),
        "unmeasured_models": list(dict.fromkeys(model["model"] for model in models if model["calls_without_split"])),
        "llm_calls": len(counted),
        "llm_requests": sum(not call["retry"] for call in counted),
        "llm_duration_s": sum(call["duration"] or 0 for call in counted) / 1e6,
        "alerts": sum(bead["type"] in ("alert.raised", "limit.reached") for bead in beads),
        "recorders_replaced": sum(bead["type"] == "recorder.replaced" for bead in beads),
    }
    shown_steps = [_step(step, counted, services["counted"]) for step in steps]
    loose = code(beads, None)
    if loose is None:
        named = [bead for bead in beads if bead["type"] in ("git.snapshot", "coverage.measured")]
        loose = code(beads, text(named[-1]["issue"])) if named else None
    return {
        "run": run,
        "steps": shown_steps,
        "whole": _whole(run, services["counted"]) if run["status"] is not None and not steps else None,
        "current_step": current,
        "issues": issues,
        "agents": _shown_agents(list(agents), attempts, agents, counted, now, whole_run=True),
        "attempts": _shown_attempts(attempts, counted, beads),
        "models": models,
        "cost_by_issue": _costs(counted, lambda call: call["place"][0]),
        "cost_by_agent": _costs(counted, lambda call: call["place"][1]),
        "cost_by_step": _costs(counted, lambda call: call["scope"][0]),
        "tools": tools["rows"],
        "services": services["rows"],
        "health": health(beads),
        "pipelines": [row_of(one, "since", "said", "end", "told") for one in pipelines],
        "pipeline_totals": pipeline_totals(pipelines, tells=len(issues) < 2),
        "debugging": [row_of(one, "since", "us", "tries", "first") for one in cycles],
        "debugging_totals": cycle_totals(cycles),
        "code": loose,
        "tests": tests_run(beads),
        "resources": resources(beads),
        "errors": errors(beads),
        "checks": checks(beads),
        "questions": questions(beads),
        "instruments": instruments(beads, calls, models),
        "series": series(beads, calls),
        "journal": {**counts, **losses(beads)},
    }


def _facts(beads: list[Bead], now: str) -> Bead:
    start = next((bead for bead in beads if bead["type"] == "run.started"), None)
    end = next((bead for bead in beads if bead["type"] == CLOSE), {})
    first = start or next((bead for bead in beads if bead["_ts"]), {"_ts": None})
    project, mode, temperature = None, None, None
    for bead in beads[beads.index(start) :] if start else []:
        if bead is start or bead["type"] == "run.configured":
            project = bead.get("project_id") if bead.get("project_id") is not None else project
            mode = bead.get("mode") or mode
            own = (bead.get("llm") or {}).get("temperature")
            temperature = temperature if own is None else own
    provider, model = run_names(beads)
    asked = [bead for bead in beads if bead["type"] == "llm.started" and name_of(bead.get("model"))]
    if model is None and asked:
        provider, model = provider or name_of(asked[0].get("provider")), asked[0]["model"]
    said_status = [bead["status"] for bead in beads if bead["type"] == "status.proposed"]
    length = gap(start or {"_ts": first["_ts"]}, end) if end else between(first["_ts"], now)
    limits = ((start or {}).get("settings") or {}).get("limits") or {}
    return {
        "run_id": (start or {}).get("run_id", ""), "framework": (start or {}).get("framework", ""),
        "project_id": project, "mode": mode, "command": (start or {}).get("command"),
        "llm_configuration": {"provider": provider, "model": model, "temperature": temperature},
        "start_time": first["_ts"], "end_time": end.get("_ts"), "duration_seconds": (length or 0) / 1e6,
        "status": end.get("status"), "proposed_status": said_status[-1] if said_status else None,
        "exit_code": end.get("exit_code"), "signal": end.get("signal"), "reason": end.get("reason"),
        "max_cost_usd": limits.get("max_cost_usd"), "max_tokens": limits.get("max_tokens"),
    }  # fmt: skip


def _step(step: Bead, counted: list[Bead], service_calls: list[Any]) -> Bead:
    own = [call for call in counted if call["scope"][0] == step["step"]]
    note = step["note"]
    if note is None and counted and not own and well(step["status"]):
        note = "Template-based generation (no LLM calls)"
    return {
        **{name: step[name] for name in ("step", "name", "status", "start_time", "end_time", "duration_s", "errors")},
        **sums(own),
        "retries": step["retries"] + step["again"],
        "api_calls": len(own) + service_calls.count(step["step"]),
        "llm_requests": sum(not call["retry"] for call in own),
        "note": note,
    }


def _whole(run: Bead, service_calls: list[Any]) -> Bead:
    bad = "failed" if run["status"] == "failed" else "interrupted"
    return {
        "step": 1, "name": None, "status": "success" if well(run["status"]) else bad, "start_time": run["start_time"],
        "end_time": run["end_time"], "duration_s": run["duration_seconds"], "retries": 0,
        "api_calls": run["llm_calls"] + len(service_calls), "llm_requests": run["llm_requests"],
        "tokens": run["tokens"], "cost_usd": run["cost_usd"], "errors": run["errors"], "note": None,
    }  # fmt: skip


def _costs(counted: list[Bead], key: Any) -> dict[str, float]:
    found: dict[str, int] = {}
    for call in counted:
        if call["pico"] is not None:
            name = "" if key(call) is None else str(key(call))
            found[name] = found.get(name, 0) + call["pico"]
    return {name: cost / PICO for name, cost in found.items()}


def _agents(beads: list[Bead], calls: list[Bead], tries: Any, tools: Any, attempts: list[Bead]) -> dict[Any, Bead]:
    """Every agent that is named by an attempt, a call, a tool, an error, a repair or the truth, issue by issue."""
    named = [(call["at"], (call["scope"][1], call["scope"][2])) for call in calls]
    named += [(at, (text(issue), agent)) for at, issue, agent in (*tries, *tools)]
    kinds = ("agent.started", "agent.completed", "error", "outcome.verified")
    named += [
        (at, (text(bead.get("issue")), bead.get("agent"))) for at, bead in enumerate(beads) if bead["type"] in kinds
    ]
    found: dict[Any, Bead] = {}
    for _, who in sorted(named, key=lambda each: each[0]):
        if who[1] is not None and who not in found:
            errors = [bead for bead in beads if bead["type"] == "error" and bead.get("agent") == who[1]]
            own = [one for one in attempts if one["who"] == who]
            repairs = sum((text(issue), agent) == who for _, issue, agent in tries)
            limits = [
                bead["max_attempts"] for bead in beads
                if bead["type"] == "agent.started" and bead.get("max_attempts") is not None
                and (text(bead.get("issue")), bead.get("agent")) == who
            ]  # fmt: skip
            found[who] = {
                "retries": max(len(own) - 1, repairs, 0),
                "errors": sum(text(bead.get("issue")) == who[0] for bead in errors),
                "tool_calls": sum((text(issue), agent) == who for _, issue, agent in tools),
                "last_max": limits[-1] if limits else None,
                "most_max": max(limits, default=None),
            }
    return found


def _shown_agents(
    whos: list[Any], attempts: list[Bead], agents: dict[Any, Bead], counted: list[Bead], now: str, *, whole_run: bool
) -> list[Bead]:
    rows = []
    for name in dict.fromkeys(agent for _, agent in whos):
        mine = [who for who in whos if who[1] == name]
        own = [one for one in attempts if one["who"] in mine]
        going = [one for one in own if one["end"] is None]
        calls = [call for call in counted if call["place"] in mine]
        limits = [agents[who]["most_max" if whole_run else "last_max"] for who in mine]
        length = sum(one["us"] for one in own) + sum(between(one["start_time"], now) or 0 for one in going)
        row = {
            "agent": name,
            "attempts": len(own),
            "successes": sum(one["success"] is True for one in own),
            "failures": sum(one["success"] is False for one in own),
            "reported_successes": sum(one["reported"] is True for one in own),
            "reported_failures": sum(one["reported"] is False for one in own),
            "duration_s": length / 1e6,
            "max_attempts": max((limit for limit in limits if limit is not None), default=None),
            "running": bool(going),
            **sums(calls),
        }
        for field in ("retries", "errors", "tool_calls"):
            row[field] = sum(agents[who][field] for who in mine)
        rows.append((min((one["began"] for one in own), default=None), row))
    return [row for _, row in sorted(rows, key=lambda each: (each[0] is None, each[0] or 0))]


def _shown_attempts(attempts: list[Bead], counted: list[Bead], beads: list[Bead]) -> list[Bead]:
    rows = []
    for one in attempts:
        if one["end"] is None:
            continue
        own = [call for call in counted if newest(attempts, call["place"], call["under_at"]) is one]
        row = {
            name: one[name]
            for name in (
                "agent", "attempt", "issue", "start_time", "end_time", "retries", "tool_calls", "error", "success",
            )
        }  # fmt: skip
        row["duration_s"] = one["us"] / 1e6
        row["total_tokens"] = sum(call["tokens"][5] for call in own)
        rows.append((one["end"], beads[one["end"]]["type"] == CLOSE, row))
    return [row for *_, row in sorted(rows, key=lambda each: each[0])]


def _issue(
    beads: list[Bead], issue: Bead, agents: dict[Any, Bead], attempts: list[Bead], pipelines: list[Bead],
    cycles: list[Bead], counted: list[Bead], now: str,
) -> Bead:  # fmt: skip
    name = text(issue["issue"])
    own = [one for one in pipelines if text(one["issue"]) == name]
    chased = [one for one in cycles if text(one["issue"]) == name]
    shown = _shown_agents([who for who in agents if who[0] == name], attempts, agents, counted, now, whole_run=False)
    totals = pipeline_totals(own)
    measured = code(beads, name)
    snapshots = [bead for bead in beads if bead["type"] == "git.snapshot" and text(bead.get("issue")) == name]
    score = None
    if snapshots and measured is not None:
        retries = sum(agent["retries"] for agent in shown) + max(0, len(own) - 1)
        files = sum(measured[f"files_{what}"] for what in ("created", "modified", "deleted", "renamed"))
        churn = measured["lines_added"] + measured["lines_deleted"]
        start = next((bead for bead in beads if bead["type"] == "run.started"), {})
        weights = {"churn": 0.01, "files": 0.5, "retries": 2.0}
        weights.update((start.get("settings") or {}).get("complexity") or {})
        score = round(churn * weights["churn"] + files * weights["files"] + retries * weights["retries"], 2)
    right = None
    if issue["said"] is not None:
        right = totals["first_attempt_pass"] if well(issue["status"]) and not chased else False
    return {
        "issue": issue["issue"], "title": issue["title"], "status": issue["status"], "start_time": issue["start_time"],
        "end_time": issue["end_time"], "duration_s": issue["duration_s"], "agents": shown,
        "pipelines": [row_of(one, "since", "said", "end", "told") for one in own], "pipeline_totals": totals,
        "debugging": [row_of(one, "since", "us", "tries", "first") for one in chased],
        "debugging_totals": cycle_totals(chased),
        "total_errors": issue["errors"] + sum(agent["failures"] for agent in shown) + totals["failed"],
        **sums([call for call in counted if call["place"][0] == name]),
        "code": measured, "test_coverage": measured["coverage_percent"] if measured else None,
        "complexity_score": score, "first_time_right": right,
    }  # fmt: skip


def _models(calls: list[Bead], run: Bead) -> list[Bead]:
    """``run`` is the run's model, the first that was asked where no answer names one."""
    rows = []
    for call in calls:
        call["provider"] = call["provider"] or run["provider"] or "unknown"
        call["model"] = call["model"] or run["model"] or "unknown"
    names = dict.fromkeys((call["provider"], call["model"]) for call in calls)
    for provider, model in names:
        own = [call for call in calls if (call["provider"], call["model"]) == (provider, model)]
        lists = {call["prices"] for call in own if call["prices"] is not None}
        lists.update(*(call.get("lists", ()) for call in own))
        own = [call for call in own if call["counts"]]
        if not own:
            continue
        results = [call["result"] for call in own]
        costless = [call for call in own if call["needs_price"] and call["pico"] is None]
        rows.append(
            {
                "provider": provider,
                "model": model,
                "calls": len(own),
                "requests": sum(not call["retry"] for call in own),
                "retries": sum(call["retry"] for call in own),
                "rate_limits": results.count("rate_limit"),
                "timeouts": results.count("timeout"),
                "failures": len(own) - results.count("success"),
                **sums(own),
                "priced": not costless,
                "calls_without_price": sum(call["raw"] is not None and _split(call) for call in costless),
                "calls_without_split": sum(call["raw"] is None or not _split(call) for call in costless),
                "calls_without_tokens": sum(call["raw"] is None and call["result"] == "success" for call in own),
                "prices": lists,
                "durations": durations([call["duration"] for call in own if call["duration"] is not None]),
            }
        )
    return rows


def _split(call: Bead) -> bool:
    return call["raw"][0] is not None or call["raw"][1] is not None
