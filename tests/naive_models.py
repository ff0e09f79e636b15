"""Model calls the plain way, for the second implementation of the metrics.

Must not import anything of the project. Source: metrics.md, "Tokens and prices"; what is a request, a retry or a repeat
is written at the top of fold/models.py, and which of several sources counts at the top of fold/ledger.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from naive_journal import CLOSE, Bead, gap, said, text

PICO = 10**12
KINDS = ("prompt", "completion", "cache_read", "cache_write", "reasoning", "total")
SOURCES = ("sdk", "usage", "otlp.span", "otlp.metric")
Price = Callable[..., Any]


def run_names(beads: list[Bead]) -> tuple[str | None, str | None]:
    """The run's provider and model as far as these events tell: explicit, else of the first answer that fits it."""
    provider = model = None
    started = False
    for bead in beads:
        if (bead["type"] == "run.started" and not started) or (bead["type"] == "run.configured" and started):
            started = True
            provider = name_of((bead.get("llm") or {}).get("provider")) or provider
            model = name_of((bead.get("llm") or {}).get("model")) or model
    answers = [bead for bead in beads if bead["type"] == "llm.completed" and name_of(bead.get("model"))]
    if answers:
        seen = name_of(answers[0].get("provider")), answers[0]["model"]
        fits = model in (None, seen[1]) and (provider is None or seen[0] is None or seen[0] == provider)
        if fits:
            return provider or seen[0], seen[1]
    return provider, model


def name_of(word: str | None) -> str | None:
    """A name, unless it is one of the words for there being none."""
    none = {"", "unknown", "none", "null", "nil", "undefined", "unset", "n/a", "-", "?"}
    return None if (word or "").strip().lower() in none else word


def pico(usd: Any) -> int | None:
    """A cost in 10⁻¹² USD."""
    if usd is None or not 0 <= usd <= 9e6:
        return None
    return int((Decimal(repr(usd)) * PICO).to_integral_value(ROUND_HALF_EVEN))


def raw_of(bead: Bead) -> list[int | None]:
    """The numbers of a line."""
    return [bead.get(f"{kind}_tokens") for kind in KINDS]


def counted_tokens(raw: list[int | None]) -> list[int]:
    """What a call used: input with what was cached, output with what was thought."""
    prompt, completion, read, write, thought, total = (
        None if number is not None and number < 0 else number for number in raw
    )
    read, write, thought = max(read or 0, 0), max(write or 0, 0), max(thought or 0, 0)
    if prompt is None and completion is None:
        return [read + write, thought, read, write, thought, max(total or 0, read + write + thought)]
    if prompt is None:
        prompt = (total or 0) - (completion or 0)
    if completion is None:
        completion = (total or 0) - prompt
    prompt, completion = max(prompt, 0), max(completion, 0)
    beside = (total or 0) - prompt - completion  # what the total has and the split has not
    cached = read + write
    if cached > prompt or (cached and beside in (cached, cached + thought)):
        prompt += cached
    if thought > completion or (thought and beside in (thought, cached + thought)):
        completion += thought
    return [prompt, completion, read, write, thought, prompt + completion]


def model_calls(beads: list[Bead], price: Price) -> list[Bead]:
    """All calls that were seen, each with what it used and cost and whether it counts."""
    calls: list[Bead] = []
    under_way: list[Bead] = []
    told: list[tuple[Any, ...]] = []  # scopes of notices about a failed call that has its own line
    waiting: list[tuple[Any, ...]] = []  # scopes of notices without a call id whose retry has not ended
    names: list[tuple[str, Bead]] = []  # request ids in the order in which they were learned
    totals: list[tuple[Any, list[int | None]]] = []  # running totals in the order in which they were told
    lines = 0
    for at, bead in enumerate(beads):
        scope = bead.get("step"), text(bead.get("issue")), bead.get("agent")
        call_id = bead.get("call_id")
        earlier = next((c for c in reversed(calls) if call_id is not None and c["call_id"] == call_id), None)
        if bead["type"] == "llm.started":
            under_way = [one for one in under_way if call_id is None or one.get("call_id") != call_id]
            under_way.append(bead)
            if earlier is not None and earlier["result"] == "success":
                for call in calls:
                    if call["call_id"] == call_id:
                        call["call_id"] = None  # the id is used again for another call
        elif bead["type"] == "llm.completed":
            lines += 1
            opened = _pair(under_way, bead)
            known = None if bead.get("counter") is not None else _repeated(bead, earlier, names)
            if known is not None:
                is_news = known["notice"]
                _correct(known, bead, names)
                if is_news:
                    known["group"] = [known]
                    _join(calls, known, under_way)
                continue
            used = [*raw_of(bead), pico(bead.get("cost_usd"))]
            if bead.get("counter") is not None and any(number is not None for number in used):
                key = bead["counter"], *scope[1:]
                before = [numbers for name, numbers in totals if name == key]
                totals.append((key, used))
                used = _grown(before[-1], used) if before else used
                if before and not any(used):
                    continue  # the same total once more
            source = bead.get("source") or "sdk"
            named = opened
            is_nameless = bead.get("model") is None and (opened or {}).get("model") is None
            if is_nameless and source != "sdk":
                group = _told_of(calls, bead, under_way, used[:6])
                busy = _busy(under_way, scope[1:])
                about = group[0] if group else busy
                if about is not None:
                    named = {
                        "provider": (opened or {}).get("provider") or about.get("provider"),
                        "model": about.get("model"),
                    }
                    named["provider"] = bead.get("provider") or named["provider"]
            call = _new(beads, at, bead, named, bead.get("result", "success"), calls, earlier, waiting)
            call["source"] = source
            call["call_id"], call["request_id"] = call_id, bead.get("request_id")
            if call["request_id"] is not None:
                names.append((call["request_id"], call))
            call["ref"] = f"{bead['writer']}:{bead['seq']}" if "writer" in bead and "seq" in bead else None
            if call["ref"] is None and call["request_id"] is None:
                call["ref"] = f"#:{lines}"
            call["duration"] = said(bead) if bead.get("duration_s") is not None else _since(opened, bead)
            if any(number is not None for number in used[:6]):
                call["raw"] = used[:6]
            call["said"] = used[6]
            call["group"] = [call]
            _join(calls, call, under_way)
        elif bead["type"] == "llm.retry":
            if earlier is not None and _tells_of(bead, earlier):
                earlier["announced"] = True
                told.append(earlier["scope"])
                continue
            failed = [call for call in calls if call["scope"] == scope and call["failed"]]
            if call_id is None and len(failed) > told.count(scope):
                told.append(scope)
                waiting.append(scope)
                continue
            opened = next((one for one in under_way if call_id is not None and one.get("call_id") == call_id), None)
            last = next((call for call in reversed(calls) if call["scope"] == scope), None)
            named = opened if opened is not None else last
            call = _new(beads, at, bead, named, "error", calls, earlier, waiting)
            call["announced"] = call["notice"] = True
            told.append(scope)
            if call_id is None:
                waiting.append(scope)
            else:
                call["call_id"] = call_id
        elif bead["type"] == "llm.priced":
            _record(calls, names, bead, at)
        elif bead["type"] == CLOSE:
            for one in sorted(under_way, key=lambda one: one.get("call_id") is None):
                again = next(
                    (
                        c
                        for c in reversed(calls)
                        if one.get("call_id") not in (None,) and c["call_id"] == one["call_id"]
                    ),
                    None,
                )
                call = _new(beads, at, one, one, "interrupted", calls, again, waiting)
                call["duration"] = gap(one, bead)
            under_way = []
    return _settled(beads, calls, price)


def _busy(under_way: list[Bead], place: tuple[Any, ...]) -> Bead | None:
    """The last call with an id that goes on there."""
    found = [one for one in under_way if one.get("call_id") and (text(one.get("issue")), one.get("agent")) == place]
    return found[-1] if found else None


def _told_of(calls: list[Bead], bead: Bead, under_way: list[Bead], used: list[int | None]) -> list[Bead] | None:
    """The lines about the call that a line without a model tells of."""
    line = {
        "place": (text(bead.get("issue")), bead.get("agent")), "source": bead["source"], "model": None,
        "raw": used if any(number is not None for number in used) else None, "request_id": bead.get("request_id"),
        "result": bead.get("result", "success"),
    }  # fmt: skip
    return _twin(calls, line, under_way, any_model=True)


def _twin(calls: list[Bead], line: Bead, under_way: list[Bead], *, any_model: bool = False) -> list[Bead] | None:
    """The lines about the call that a line tells of too: see the top of fold/twins.py."""
    known = [one["group"] for one in calls if one.get("group") and one["group"][0] is one and one is not line]
    groups = [group for group in known if group[0]["place"] == line["place"]]

    def may_be(group: list[Bead]) -> bool:
        both = [one for one in group if one["request_id"] is not None and line["request_id"] is not None]
        is_of_model = any_model or _family(group[0]["model"]) == _family(line["model"])
        return is_of_model and not both and all(one["source"] != line["source"] for one in group)

    for group in reversed(groups):
        if may_be(group) and any(_alike(one, line) for one in group):
            return group
    for group in reversed(known):
        succeeded = all(one["result"] == "success" for one in (*group, line))
        if succeeded and _is_elsewhere(group[0], line) and may_be(group) and any(_alike(one, line) for one in group):
            return group
    if not groups or not may_be(groups[-1]) or _busy(under_way, line["place"]) is not None:
        return None
    is_silent = not _used(line)[5] or not any(_used(one)[5] for one in groups[-1])
    is_well = all(one["result"] == "success" for one in (*groups[-1], line))
    return groups[-1] if is_silent and is_well else None


def _is_elsewhere(one: Bead, other: Bead) -> bool:
    """Whether one line names an agent and the other none, and that one the same issue or none either."""
    with_agent, without = (one, other) if one["place"][1] is not None else (other, one)
    issues = without["place"][0], with_agent["place"][0]
    return with_agent["place"][1] is not None and without["place"][1] is None and issues[0] in (None, issues[1])


def _used(call: Bead) -> list[int]:
    return counted_tokens(call["raw"] or [None] * 6)


def _alike(one: Bead, other: Bead) -> bool:
    """Whether two lines tell of the same tokens, what was cached left out by one of them or not."""
    (here, there), output = (_used(one), _used(other)), [None, None]
    for at, line in enumerate((one, other)):
        if line["raw"] is not None and line["raw"][1] is not None:
            output[at] = _used(line)[1]  # type: ignore[call-overload]
    if not here[5] or not there[5] or (None not in output and output[0] != output[1]):
        return False
    return here[5] in (there[5], there[5] - there[2] - there[3]) or here[5] - here[2] - here[3] == there[5]


def _join(calls: list[Bead], call: Bead, under_way: list[Bead]) -> None:
    """Put a call's line to those of other sources about it, and give each what it lacks."""
    group = _twin(calls, call, under_way)
    if group is None:
        return
    call["group"] = group
    group.append(call)
    for owner in [one for one in group if one["place"][1] is not None]:
        for one in group:
            if one["place"][1] is None:
                one["place"], one["under_at"] = owner["place"], owner["under_at"]
    news = [(one, _added(one, group)) for one in group]
    for one, (raw, cost, _) in news:
        if one is not call and one["raw"] is None and one["said"] is None and (raw is not None or cost is not None):
            one["used_at"] = call["at"] + 0.5  # only now does it show in the trends
    for one, (raw, cost, duration) in news:
        if counted_tokens(raw or [None] * 6) != _used(one):
            one["raw"], one["recorded"] = raw, None
        one["said"] = cost
        one["duration"] = duration


def _added(call: Bead, group: list[Bead]) -> tuple[Any, Any, Any]:
    """Usage, cost and duration of a call with what the others know."""
    others = [one for one in group if one is not call]
    cost = next((one["said"] for one in (call, *others) if one["said"] is not None), None)
    duration = next((one["duration"] for one in (call, *others) if one["duration"] is not None), None)
    total = _used(call)[5] or max(_used(one)[5] for one in group)
    if not total:
        return call["raw"], cost, duration
    same = [one for one in (call, *others) if _used(one)[5] == total]
    own = call["raw"] if _used(call)[5] else same[0]["raw"]
    split = [one for one in same if one["raw"][:2] != [None, None]]
    if not split or (len(same) == 1 and same[0] is call):
        return own, cost, duration
    prompt, completion = _used(split[0])[:2]
    read, write, thought = (max(_used(one)[at] for one in same) for at in (2, 3, 4))
    if read + write > prompt or thought > completion:
        return (own if _used(call)[5] else split[0]["raw"]), cost, duration
    return [prompt, completion, read, write, thought, total], cost, duration


def _grown(before: list[int | None], used: list[int | None]) -> list[int | None]:
    """What running totals gained; a total that fell was started anew."""
    if any((new or 0) < (old or 0) for old, new in zip(before, used, strict=True)):
        return used
    return [None if new is None else new - (old or 0) for old, new in zip(before, used, strict=True)]


def _since(opened: Bead | None, bead: Bead) -> int | None:
    return None if opened is None else gap(opened, bead)


def _pair(under_way: list[Bead], bead: Bead) -> Bead | None:
    """Take the start of an end from what goes on: by call id, else the latest of the same step, issue and agent."""

    def place(one: Bead) -> tuple[Any, ...]:
        if bead.get("call_id") is not None:
            return (one.get("call_id"),)
        return one.get("call_id"), one.get("step"), text(one.get("issue")), one.get("agent")

    for one in reversed(under_way):
        if place(one) == place(bead):
            under_way.remove(one)
            return one
    return None


def _repeated(bead: Bead, earlier: Bead | None, names: list[tuple[str, Bead]]) -> Bead | None:
    """The call that a line tells of once more."""
    attempt, request_id = bead.get("attempt"), bead.get("request_id")
    same = next((call for name, call in reversed(names) if name == request_id), None)
    if request_id is not None and same is not None:
        later = attempt is not None and attempt > same["attempt"] and same["result"] != "success"
        return None if later else same
    if earlier is None or (request_id is not None and earlier["request_id"] is not None):
        return None
    if attempt is None:
        return earlier if earlier["result"] == "success" else None
    return earlier if earlier["attempt"] == attempt else None


def _correct(call: Bead, bead: Bead, names: list[tuple[str, Bead]]) -> None:
    """Take over what a repeat knows better."""
    before = counted_tokens(call["raw"] or [None] * 6)
    if any(number is not None for number in raw_of(bead)):
        old = call["raw"] or [None] * 6
        call["raw"] = [
            max((n for n in pair if n is not None), default=None) for pair in zip(old, raw_of(bead), strict=True)
        ]
    if call["notice"] or call["result"] != "success":
        call["result"], call["notice"] = bead.get("result", "success"), False
    cost = pico(bead.get("cost_usd"))
    if cost is not None:
        call["said"] = max(cost, call["said"] or 0)
        call["recorded"] = None
    elif counted_tokens(call["raw"] or [None] * 6) != before:
        call["recorded"] = None  # a price of other numbers
    if call["duration"] is None:
        call["duration"] = said(bead)
    if call["request_id"] is None and bead.get("request_id") is not None:
        call["request_id"] = bead["request_id"]
        names.append((call["request_id"], call))


def _tells_of(notice: Bead, call: Bead) -> bool:
    same = notice.get("attempt") in (None, call["attempt"])
    return call["result"] != "success" and not call["announced"] and same


def _record(calls: list[Bead], names: list[tuple[str, Bead]], bead: Bead, at: int) -> None:
    found = [call for call in calls if call["ref"] is not None and call["ref"] == bead["ref"]]
    found += [call for name, call in reversed(names) if name == bead["ref"]]
    if found and found[0]["said"] is None:
        prices = bead.get("prices") or {}
        text_ = " ".join(prices[key] for key in ("library", "version", "date") if key in prices) or "unnamed"
        found[0]["recorded"] = (pico(bead.get("cost_usd")), text_)
        if found[0]["recorded"][0] is not None:
            found[0].setdefault("lists", set()).add(text_)
        if found[0]["raw"] is None:
            found[0].setdefault("used_at", at)


def _new(
    beads: list[Bead], at: int, bead: Bead, named: Bead | None, result: str, calls: list[Bead], earlier: Bead | None,
    waiting: list[tuple[Any, ...]],
) -> Bead:  # fmt: skip
    """A call of its own: a request, or a retry of one. What it does not name is as its start or the run has it."""
    scope = bead.get("step"), text(bead.get("issue")), bead.get("agent")
    provider, model = run_names(beads[: at + 1])
    if named is not None:
        provider, model = named.get("provider") or provider, named.get("model") or model
    retry = earlier is not None and (earlier["result"] != "success" or result == "error")
    attempt = bead.get("attempt")
    if attempt is None:
        attempt = 1 if earlier is None else earlier["attempt"] + 1
        if scope in waiting and (earlier is None or retry):
            waiting.remove(scope)
            retry = True
    elif attempt > 1:
        for call in calls:
            if call["scope"] == scope and call["attempt"] == attempt - 1 and not call["retried"]:
                call["retried"] = retry = True
                break
        if scope in waiting:
            waiting.remove(scope)
    call = {
        "at": at, "scope": scope, "place": scope[1:], "under_at": at, "provider": bead.get("provider") or provider,
        "model": bead.get("model") or model, "result": result, "failed": result != "success", "attempt": attempt,
        "retry": retry, "retried": False, "source": "sdk", "call_id": None, "request_id": None, "ref": None,
        "duration": None, "raw": None, "said": None, "recorded": None, "announced": False, "notice": False,
        "ts": beads[at]["_ts"],
    }  # fmt: skip
    calls.append(call)
    return call


def _settled(beads: list[Bead], calls: list[Bead], price: Price) -> list[Bead]:
    """Names, costs, and which of several sources counts."""
    provider, model = run_names(beads)
    for call in calls:
        call["then"] = call["provider"], call["model"]
        call["provider"] = call["provider"] or provider
        call["model"] = call["model"] or model
        call["tokens"] = counted_tokens(call["raw"] or [None] * 6)
        call["prices"] = None
        call["needs_price"] = call["raw"] is not None or call["result"] == "success" or call["recorded"] is not None
        call["pico"] = call["said"]
        if call["said"] is None and call["recorded"] is not None:
            call["pico"], call["prices"] = call["recorded"]
            call["prices"] = None if call["pico"] is None else call["prices"]
        elif call["said"] is None and call["raw"] is not None and call["raw"][:2] != [None, None]:
            call["pico"], call["prices"] = price(call["provider"], call["model"], *call["tokens"][:4], call["ts"])
    for call in calls:
        rivals = [one for one in calls if _place(one) == _place(call)]
        call["counts"] = call["source"] == _winner(rivals)
        if all(one["request_id"] is not None for one in rivals):
            call["counts"] = True
    return calls


def _place(call: Bead) -> tuple[Any, ...]:
    return *call["place"], _family(call["then"][1])


def _family(model: str | None) -> str | None:
    """A model's name; its date and who passes it on make no other model."""
    if model is None:
        return None
    return re.sub(r"[-@](\d{8}|\d{4}-\d\d-\d\d)$", "", model.strip().lower().split("/")[-1])


def _winner(rivals: list[Bead]) -> str:
    """Who saw most: tokens, then calls, then the most trusted."""

    def sees(source: str) -> tuple[Any, ...]:
        own = [call for call in rivals if call["source"] == source]
        rank = SOURCES.index(source) if source in SOURCES else len(SOURCES)
        return -sum(call["tokens"][5] for call in own), -len(own), rank, source

    return min({call["source"] for call in rivals}, key=sees)


def sums(calls: list[Bead]) -> dict[str, Any]:
    """Tokens and cost of the calls that count."""
    own = [call for call in calls if call["counts"]]
    costs = [call["pico"] for call in own if call["pico"] is not None]
    return {
        "tokens": {kind: sum(call["tokens"][i] for call in own) for i, kind in enumerate(KINDS)},
        "cost_usd": sum(costs) / PICO if costs else None,
    }
