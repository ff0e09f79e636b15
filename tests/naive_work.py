"""Issues, agents, pipelines and debugging cycles the plain way, for the second implementation of the metrics.

Must not import anything of the project. Source: metrics.md; each function is one walk over the events of a run.
"""

from __future__ import annotations

from typing import Any

from naive_journal import CLOSE, Bead, between, gap, moment, rate, said, text, well, written


def step_list(beads: list[Bead], now: str) -> tuple[list[Bead], int | None, Bead]:
    """The steps by number, the one at hand, and what was planned."""
    steps: dict[int, Bead] = {}
    running: list[int] = []
    plan: Bead = {"total": None, "names": []}
    for bead in beads:
        number = bead.get("step")
        if bead["type"] == CLOSE:
            for step in steps.values():
                if step["status"] is None:
                    step["retries"] += step.pop("again", 0)
                    step["again"], step["status"] = 0, "interrupted"
                    _stop(step, bead)
            running = []
            continue
        if bead["type"] == "step.started" and number is None:
            number = max(steps, default=0) + 1
        if bead["type"] == "step.completed" and number is None:
            number = running[-1] if running else None
        if bead["type"] == "steps.planned":
            plan = {"total": bead["total"], "names": bead.get("names") or []}
        if number is None:
            continue
        if number not in steps:
            steps[number] = {
                "step": number, "name": None, "status": None, "note": None, "retries": 0, "again": 0, "errors": 0,
                "start_time": bead["_ts"], "end_time": None, "since": bead, "us": 0, "fresh": True,
            }  # fmt: skip
        step = steps[number]
        if bead["type"] == "error":
            step["errors"] += 1
        elif bead["type"] == "step.started":
            if number in running:
                step["again"] += 1
            elif step["status"] is not None:
                step["retries"] += 1
            step["status"], step["name"] = None, bead.get("name") or step["name"]
            _go(step, bead)
            running = [one for one in running if one != number] + [number]
        elif bead["type"] == "step.completed":
            step["note"] = bead.get("note") or step["note"]
            if step["status"] is None:
                step["status"] = bead.get("status", "success")
                step["retries"] += max(step["again"], bead.get("retries", 0))
                step["again"] = 0
                _stop(step, bead)
                running = [one for one in running if one != number]
    return [_timed(steps[number], now) for number in sorted(steps)], (running or [None])[-1], plan


def _go(span: Bead, bead: Bead) -> None:
    if span["since"] is None:
        span["since"], span["end_time"] = bead, None
    span["start_time"] = span["start_time"] or bead["_ts"]


def _stop(span: Bead, bead: Bead) -> None:
    duration = said(bead) if bead["type"] != CLOSE else None
    if duration is None and span["since"] is not None:
        duration = gap(span["since"], bead)
    span["us"] += duration or 0
    span["since"], span["end_time"] = None, bead["_ts"]


def _timed(span: Bead, now: str) -> Bead:
    running = 0 if span["since"] is None else between(span["since"]["_ts"], now) or 0
    return {**span, "duration_s": (span["us"] + running) / 1e6}


def issue_list(beads: list[Bead], now: str) -> list[Bead]:
    """The issues in order of their start, which is the first event that names one."""
    issues: dict[str, Bead] = {}
    for bead in beads:
        if bead["type"] == CLOSE:
            for issue in issues.values():
                if issue["said"] is None:
                    issue["said"] = "interrupted"
                    _stop(issue, bead)
            continue
        name = text(bead.get("issue"))
        if name is None:
            continue
        if name not in issues:
            issues[name] = {
                "issue": bead["issue"], "title": None, "said": None, "errors": 0, "verified": None,
                "agents_verified": None,
                "start_time": bead["_ts"], "end_time": None, "since": bead, "us": 0, "again": None,
            }  # fmt: skip
        issue = issues[name]
        if bead["type"] == "issue.started":
            issue["title"] = bead.get("title") or issue["title"]
            if issue["said"] is None:
                _go(issue, bead)
            elif issue["again"] is None and (bead["_ts"] or "") >= (issue["end_time"] or ""):
                issue["again"] = bead
        elif bead["type"] == "issue.completed" and (issue["said"] is None or issue["again"] is not None):
            if issue["said"] is not None:
                _go(issue, issue["again"])
            issue["said"], issue["again"] = bead.get("status", "completed"), None
            _stop(issue, bead)
        elif bead["type"] == "error":
            issue["errors"] += 1
        elif bead["type"] == "outcome.verified":
            if bead.get("agent") is None:
                issue["verified"] = bead["success"]
            elif bead.get("source", "person") in ("git", "forge"):
                issue["agents_verified"] = bead["success"]
    for issue in issues.values():
        truth = issue["agents_verified"] if issue["verified"] is None else issue["verified"]
        issue["status"] = issue["said"]
        if issue["said"] is not None and truth is not None and truth != well(issue["said"]):
            issue["status"] = "success" if truth else "failed"
    return [_timed(issue, now) for issue in issues.values()]


def cycle_list(beads: list[Bead], now: str) -> list[Bead]:
    """The debugging cycles in order of their start, each with the places of its attempts."""
    cycles: list[Bead] = []
    for at, bead in enumerate(beads):
        if bead["type"] == CLOSE:
            for cycle in cycles:
                if cycle["resolved"] is None:
                    cycle["resolved"], cycle["us"] = False, gap(cycle["since"], bead) or 0
        if not bead["type"].startswith("debug."):
            continue
        cycle = _cycle_of(cycles, bead)
        if bead["type"] == "debug.started" and (bead.get("cycle") is None or (cycle and cycle["resolved"] is not None)):
            numbered = None if bead.get("cycle") is None else cycle
            cycle = numbered if _came_late(numbered, bead, "debug.completed") else None
        if cycle is None:
            siblings = [one for one in cycles if bead.get("issue") is None or text(one["issue"]) == text(bead["issue"])]
            number = bead["cycle"] if bead.get("cycle") is not None else len(siblings) + 1
            cycle = {
                "cycle": number, "issue": bead.get("issue"), "agent": None, "error_type": None, "error_message": None,
                "attempts": 0, "resolved": None, "method": None, "start_time": bead["_ts"], "since": bead, "us": 0,
                "tries": [], "first": bead,
            }  # fmt: skip
            cycles.append(cycle)
        if bead["type"] == "debug.started":
            for field in ("agent", "error_type", "error_message"):
                cycle[field] = bead.get(field) or cycle[field]
        elif bead["type"] == "debug.attempt":
            cycle["agent"] = cycle["agent"] or bead.get("agent")
            cycle["attempts"] += 1
            if cycle["agent"] is not None:
                where = bead.get("issue") if cycle["issue"] is None else cycle["issue"]
                cycle["tries"].append((at, where, cycle["agent"]))
        elif cycle["resolved"] is None:
            cycle["agent"] = cycle["agent"] or bead.get("agent")
            cycle["method"], cycle["resolved"] = bead.get("method"), bead.get("resolved", False)
            own = said(bead)
            began = cycle["first"] is not bead
            cycle["us"] = own if own is not None else gap(cycle["since"], bead) or 0 if began else None
    for cycle in cycles:
        running = between(cycle["start_time"], now) or 0 if cycle["resolved"] is None else 0
        cycle["duration_s"] = None if cycle["us"] is None else (cycle["us"] + running) / 1e6
    return cycles


def _came_late(one: Bead | None, bead: Bead, end: str) -> bool:
    """Whether this start is that of something whose end was written first, and take it over where it is."""
    if one is None or one["first"]["type"] != end:
        return False
    ended, one["first"] = one["first"], bead
    if bead["_ts"] is not None and ended["_ts"] is not None and bead["_ts"] > ended["_ts"]:
        return False
    one["since"], one["start_time"] = bead, bead["_ts"]
    if said(ended) is None:
        one["us"] = gap(bead, ended) or 0
    return True


def _cycle_of(cycles: list[Bead], bead: Bead) -> Bead | None:
    issue, number = text(bead.get("issue")), text(bead.get("cycle"))
    if number is None:
        here = [one for one in cycles if issue is None or text(one["issue"]) == issue]
        return next((one for one in reversed(here) if one["resolved"] is None), None)
    same = [one for one in reversed(cycles) if text(one["cycle"]) == number]
    exact = [one for one in same if text(one["issue"]) == issue]
    rest = same if issue is None else [one for one in same if one["issue"] is None]
    return (exact + rest + [None])[0]


def cycle_totals(cycles: list[Bead]) -> Bead:
    """The totals of some cycles."""
    gone = [cycle for cycle in cycles if cycle["resolved"]]
    timed = [cycle["us"] for cycle in gone if cycle["us"] is not None]
    return {
        "cycles": len(cycles),
        "resolved": len(gone),
        "attempts": sum(cycle["attempts"] for cycle in cycles),
        "success_rate": rate(len(gone), sum(cycle["resolved"] is not None for cycle in cycles)),
        "resolution_s": round(sum(timed) / len(timed) / 1e6, 6) if timed else None,
    }


def pipeline_list(beads: list[Bead]) -> list[Bead]:
    """The pipelines in order of their start."""
    found: list[Bead] = []
    taken: dict[str | None, set[int]] = {}
    for bead in beads:
        if bead["type"] == CLOSE:
            for one in found:
                if one["status"] is None:
                    span = None if one["since"] is None else gap(one["since"], bead)
                    one.update(status="interrupted", end_time=bead["_ts"])
                    one["duration_s"] = None if span is None else span / 1e6
        if bead["type"] not in ("pipeline.started", "pipeline.completed"):
            continue
        one = _pipeline_of(found, bead)
        if one is None:
            one = {
                "pipeline_id": bead["pipeline_id"], "issue": bead.get("issue"), "status": None, "commit_sha": None,
                "triggered_by": None, "start_time": None, "end_time": None, "said": bead.get("attempt"),
                "queued_s": None, "duration_s": None, "failed_jobs": [], "error_type": None, "since": None,
                "attempt": number_of(taken.setdefault(text(bead.get("issue")), set()), bead.get("attempt")),
                "end": None, "told": set(),
            }  # fmt: skip
            found.append(one)
        if one["issue"] is None and bead.get("issue") is not None:
            one["issue"] = bead["issue"]
            one["attempt"] = number_of(taken.setdefault(text(one["issue"]), set()), one["said"])
        if one["said"] is None and bead.get("attempt") is not None:
            one["said"] = bead["attempt"]
            renumber(taken[text(one["issue"])], one, bead["attempt"])
        for field in ("commit_sha", "triggered_by"):
            one[field] = one[field] if bead.get(field) is None else bead[field]
        if _goes(bead):
            one["since"] = one["since"] or bead
            one["start_time"] = written(moment(bead.get("started_at"))) or one["start_time"] or bead["_ts"]
            one["queued_s"] = one["queued_s"] if bead.get("queued_s") is None else bead["queued_s"]
        else:
            _pipeline_ends(one, bead)
    return found


def _pipeline_ends(one: Bead, bead: Bead) -> None:
    began, ended = written(moment(bead.get("started_at"))), written(moment(bead.get("ended_at")))
    span, word = said(bead), _state(bead)
    if span is None and began and ended:
        span = between(began, ended)
    if span is not None:
        one["told"].add("duration_s")
    elif one["end"] is None and "duration_s" not in one["told"] and one["since"] is not None:
        span = gap(one["since"], bead)
    if ended:
        one["told"].add("end_time")
    elif one["end"] is None and "end_time" not in one["told"]:
        ended = bead["_ts"]
    if word != one["status"]:
        one.update(failed_jobs=[], error_type=None)
    one.update(status=word, start_time=began or one["start_time"], end_time=ended or one["end_time"])
    one.update(duration_s=one["duration_s"] if span is None else span / 1e6)
    for field in ("queued_s", "failed_jobs", "error_type"):
        one[field] = bead[field] if bead.get(field) not in (None, []) else one[field]
    if one["end"] is None and not bead.get("goes_on"):
        one["end"] = bead


_KNOWN = ("success", "failed", "canceled", "skipped", "timeout")


def _goes(bead: Bead) -> bool:
    """Whether an event tells that a pipeline is under way."""
    return bead["type"] == "pipeline.started" or bead.get("status") in ("pending", "Running", "in progress")


def _state(bead: Bead) -> str:
    word: str = bead.get("status", "success")
    return {"PASSED": "success", "timed out": "timeout", "Cancelled": "canceled"}.get(word, word)


def number_of(taken: set[int], told: int | None) -> int:
    """The number of another attempt: as told where no other has it, else the one after the largest."""
    number = told if told is not None and told not in taken else max(taken, default=0) + 1
    taken.add(number)
    return number


def renumber(taken: set[int], one: Bead, told: int) -> None:
    """Give an attempt the number that a later line tells, where no other has it."""
    if told not in taken:
        taken.remove(one["attempt"])
        taken.add(told)
        one["attempt"] = told


def _pipeline_of(found: list[Bead], bead: Bead) -> Bead | None:
    ended = 0
    for one in reversed(found):
        if text(one["pipeline_id"]) != text(bead["pipeline_id"]):
            continue
        if bead.get("issue") is not None and one["issue"] is not None and text(one["issue"]) != text(bead["issue"]):
            continue
        if bead.get("attempt") is not None and one["said"] is not None and one["said"] != bead["attempt"]:
            continue
        if one["end"] is None:
            return one
        ended += 1
        if ended > 1:
            continue
        late = bead["_ts"] is not None and one["end"]["_ts"] is not None and bead["_ts"] > one["end"]["_ts"]
        if _goes(bead):
            if one["since"] is None and not late:
                return one
            continue
        shas = [sha for sha in (bead.get("commit_sha"), one["commit_sha"]) if sha is not None]
        short = min(map(len, shas), default=0)
        same = shas[0][:short] == shas[-1][:short] if short >= 4 else len(set(shas)) < 2
        if same and _state(bead) == one["status"]:
            return one
    return None


def pipeline_totals(found: list[Bead], *, tells: bool = True) -> Bead:
    """The totals of some pipelines; ``tells`` whether a first attempt among them means anything."""
    ended = [one for one in found if one["status"] is not None]
    first = min(found, key=lambda one: one["attempt"]) if found and tells else None
    good = sum(one["status"] == "success" for one in ended)
    return {
        "attempts": len(ended),
        "succeeded": good,
        "failed": sum(one["status"] in ("failed", "timeout") for one in ended),
        "success_rate": rate(good, sum(one["status"] in _KNOWN for one in ended)),
        "first_attempt_pass": None if first is None or first["status"] not in _KNOWN else first["status"] == "success",
        **{
            name: sum(round(time * 1e6) for time in times) / 1e6 if times else None
            for name in ("queued_s", "duration_s")
            for times in [[one[name] for one in ended if one[name] is not None]]
        },
    }


def attempt_list(beads: list[Bead], tries: list[tuple[int, Any, str]], tools: list[tuple[int, Any, str]]) -> list[Bead]:
    """All attempts of agents in order of their start. ``tries`` are debugging attempts, ``tools`` are tool calls."""
    found: list[Bead] = []
    taken: dict[Any, set[int]] = {}
    for at, bead in enumerate(beads):
        who = text(bead.get("issue")), bead.get("agent")
        own = [one for one in found if one["who"] == who]
        going = [one for one in own if one["end"] is None]
        if bead["type"] == CLOSE:
            # calls are ended before agents; those outside of any issue come first, then issue by issue
            for one in [one for one in found if one["end"] is None]:
                _end(one, at, bead, False, None)
        elif bead["type"] == "agent.started" and who[1] is not None:
            same = [one for one in own if bead.get("call_id") is not None and one["call_id"] == bead["call_id"]]
            if same and _came_late(same[-1], bead, "agent.completed"):
                if bead.get("attempt") is not None:
                    same[-1]["number"] = bead["attempt"]
                    renumber(taken[who], same[-1], bead["attempt"])
                continue
            for one in [one for one in going if one["call_id"] == bead.get("call_id")]:
                _end(one, at, bead, False, None)
            found.append(_attempt(taken.setdefault(who, set()), bead, at))
        elif bead["type"] == "agent.completed" and who[1] is not None:
            one = _ending(going, bead)
            if one is None:
                if own and _told(own[-1], bead):
                    continue
                one = _attempt(taken.setdefault(who, set()), bead, at)
                found.append(one)
            one["reported"], one["error"] = bead.get("success", True), bead.get("error")
            _end(one, at, bead, bead.get("success", True), said(bead))
        elif bead["type"] == "outcome.verified" and own:
            own[-1]["verified"] = bead["success"]
            if own[-1]["end"] is not None:
                own[-1]["success"] = bead["success"]
    for one in found:
        later = [two["began"] for two in found if two["who"] == one["who"] and two["began"] > one["began"]]
        until = min(later, default=len(beads))
        made = sum(two["who"] == one["who"] and two["began"] <= one["began"] for two in found)
        repairs = [at for at, issue, agent in tries if (text(issue), agent) == one["who"] and at < until]
        one["retries"] = max(made - 1, len(repairs), 0)
        one["tool_calls"] = sum(
            newest(found, one["who"], at) is one for at, issue, agent in tools if (text(issue), agent) == one["who"]
        )
    return found


def newest(found: list[Bead], who: tuple[Any, Any], at: int) -> Bead | None:
    """The attempt that an agent had under way at a place, the one that began last."""
    going = [
        one for one in found if one["who"] == who and one["began"] < at and (one["end"] is None or at <= one["end"])
    ]
    return going[-1] if going else None


def _attempt(taken: set[int], bead: Bead, at: int) -> Bead:
    return {
        "who": (text(bead.get("issue")), bead["agent"]), "agent": bead["agent"], "issue": bead.get("issue"),
        "attempt": number_of(taken, bead.get("attempt")), "number": bead.get("attempt"),
        "call_id": bead.get("call_id"), "first": bead, "began": at, "end": None, "since": bead,
        "start_time": bead["_ts"], "end_time": None, "us": 0, "success": None,
        "reported": None, "verified": None, "error": None,
    }  # fmt: skip


def _end(one: Bead, at: int, bead: Bead, success: bool, duration: int | None) -> None:
    one["end"], one["end_time"] = at, bead["_ts"]
    one["success"] = success if one["verified"] is None else one["verified"]
    one["us"] = duration if duration is not None else gap(one["since"], bead) or 0


def _ending(going: list[Bead], bead: Bead) -> Bead | None:
    """The attempt that an end belongs to: by call id, else by number, else the newest that no id tells apart."""
    call_id = bead.get("call_id")
    same = [one for one in going if call_id is not None and one["call_id"] == call_id]
    left = [one for one in going if call_id is None or one["call_id"] is None]
    numbered = [one for one in left if bead.get("attempt") is not None and one["number"] == bead["attempt"]]
    return (same[:1] + numbered[:1] + left[-1:] + [None])[0]


def _told(last: Bead, bead: Bead) -> bool:
    if last["end"] is None:
        return False
    if bead.get("call_id") is not None:
        return bool(bead["call_id"] == last["call_id"])
    return bead.get("attempt") is not None and bead["attempt"] == last["number"]
