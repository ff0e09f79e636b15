"""Tokens and cost of what providers really say, each fixture with a result computed by hand beside it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from journals import fold_lines
from runwatch.fold import Metrics
from runwatch.pricing import Pricer
from runwatch.sdk.issues import IssueTracker
from runwatch.sdk.llm import llm_metrics
from sdk_recording import Recording

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "usage").glob("*.json"))
NOW = "2026-11-21T12:00:00.000000Z"


def tell(issue: IssueTracker, told: dict[str, Any]) -> None:
    """Record one call as a program would."""
    if told["how"] == "record_token_usage":
        issue.record_token_usage(told["agent"], told["usage"])
        return
    with issue.agent(told["agent"]), llm_metrics.track_request(told["model"], told["provider"]) as request:
        request.update(told["said"])


def metrics_of(recording: Recording, pricing: dict[str, Any]) -> Metrics:
    lines = recording.paths.journal.read_bytes().splitlines(keepends=True)
    return fold_lines(lines, price=Pricer(pricing)).metrics(NOW)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_a_provider_says_is_counted_as_by_hand(recording: Recording, path: Path) -> None:
    fixture = json.loads(path.read_text())
    issue = IssueTracker(recording.paths.run_id, 123)
    for told in fixture["told"]:
        tell(issue, told)
    metrics = metrics_of(recording, fixture["pricing"])
    counted = fixture["counted"]
    cost, calls = counted.pop("cost_usd"), counted.pop("calls")
    run = metrics.run
    assert {kind: getattr(run.tokens, kind) for kind in counted} == counted, fixture["by_hand"]
    assert run.llm_calls == calls
    assert run.cost_usd is None if cost is None else Decimal(repr(run.cost_usd)) == Decimal(cost), fixture["by_hand"]
    assert run.unpriced_models == fixture.get("unpriced", [])
    sums = (metrics.cost_by_agent, metrics.cost_by_issue, metrics.cost_by_step)
    parts = [list(each.values()) for each in sums] + [[m.cost_usd for m in metrics.models if m.cost_usd is not None]]
    for part in parts:
        assert sum(map(Decimal, map(repr, part))) == Decimal(cost or 0)
    assert not recording.events("warning")


def test_there_is_a_fixture_of_each_cause_that_public_tools_get_wrong() -> None:
    told = " ".join(path.stem for path in FIXTURES)
    for cause in ("inside", "beside", "repeated", "corrected", "cumulative", "two_sources", "reasoning", "thoughts"):
        assert cause in told


def test_the_price_is_that_of_the_day_of_the_call(recording: Recording) -> None:
    """deepseek-chat cost half at night in March 2025. Source: genai-prices, prices with a time of day."""
    million = {"model": "deepseek-chat", "provider": "deepseek", "prompt_tokens": 10**6, "completion_tokens": 0}
    for time in ("12", "18"):
        recording.emitter.emit("llm.completed", {**million, "ts": f"2025-03-01T{time}:00:00.000000Z"})
    metrics = metrics_of(recording, {})
    assert metrics.run.cost_usd == 0.27 + 0.135
    assert metrics.models[0].prices is not None
    assert metrics.models[0].prices.startswith("genai-prices ")
