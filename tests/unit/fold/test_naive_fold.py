"""The fold against a second, naive implementation, over journals of everything that can happen."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from journals import Journal, scenario_issues, scenario_steps
from naive_fold import naive_metrics
from runwatch.events import decode
from runwatch.fold import Fold
from runwatch.fold.money import Price
from wild_journals import wild_run

NOW = "2026-11-21T12:00:00.000000Z"
JOURNALS = 200
_SHARDS = 8
_TEXTS = {"schema", "notices"}
"""No numbers: a version, and sentences."""


def price(provider: Any, model: Any, prompt: int, completion: int, read: int, write: int, when: Any) -> Price:
    """A price list with fractions of a micro-dollar, so that rounding shows."""
    if model in (None, "unpriced"):
        return Price(None, None)
    return Price(prompt * 2_500_003 + completion * 10_000_019 + read * 7 + write * 3, "test 1 2026-01-01")


def folded(lines: list[bytes], post: list[bytes]) -> Any:
    """Half of the journals are asked for their metrics in between, which must change nothing."""
    fold = Fold(price)
    offset = 0
    for number, line in enumerate(lines):
        offset += len(line)
        fold.feed_line(line, offset)
        if len(lines) % 2 and number % 13 == 0:
            fold.metrics(NOW)
    for line in post:
        fold.feed_post(decode(line))
    metrics = fold.metrics(NOW)
    metrics.attempts = list(metrics.attempts)
    return msgspec.to_builtins(metrics)


def differences(ours: Any, plain: Any, at: str = "") -> list[str]:
    """Where two metrics differ: numbers to the last digit, percentiles by more than one percent."""
    if isinstance(plain, dict) and isinstance(ours, dict):
        names = (plain.keys() | ours.keys()) - {"exact", *(_TEXTS if not at else ())}
        missing = [f"{at}.{name}: only one has it" for name in names if (name in plain) != (name in ours)]
        both = [name for name in sorted(names) if name in plain and name in ours]
        return missing + [each for name in both for each in differences(ours[name], plain[name], f"{at}.{name}")]
    if isinstance(plain, list) and isinstance(ours, list) and len(ours) == len(plain):
        pairs = enumerate(zip(ours, plain, strict=True))
        return [each for i, (one, two) in pairs for each in differences(one, two, f"{at}[{i}]")]
    if at.endswith((".p50_s", ".p95_s")) and plain:
        return [] if abs(ours - plain) <= plain / 100 else [f"{at}: {ours!r}, plain {plain!r}"]
    if at.endswith(".prices"):
        is_listed = not plain or ours in plain  # a list that was used may have given way to a later word
        return [] if is_listed else [f"{at}: {ours!r}, plain {plain!r}"]
    return [] if ours == plain else [f"{at}: {ours!r}, plain {plain!r}"]


def by_labels(instruments: list[Any]) -> Any:
    """Instruments as (name, labels) to value, or count, sum and buckets."""
    return {
        (each["name"], tuple(sorted(series["labels"].items()))): series["value"]
        if series["value"] is not None
        else (series["count"], pytest.approx(series["sum"], rel=1e-9, abs=1e-9), series["buckets"])
        for each in instruments
        for series in each["series"]
    }


def hold_together(lines: list[bytes], post: list[bytes], name: object) -> None:
    ours, plain = folded(lines, post), naive_metrics(lines, price, NOW, post)
    shown, counted = by_labels(ours.pop("instruments")), plain.pop("instruments")
    assert shown == counted, name
    for side in (ours, plain):  # those that the seal ends at one moment have no order
        side["attempts"].sort(key=lambda one: tuple(str(value) for _, value in sorted(one.items())))
    assert differences(ours, plain) == [], name


@pytest.mark.parametrize("shard", range(_SHARDS))
def test_a_plain_second_implementation_agrees_with_the_fold_on_every_metric(shard: int) -> None:
    for seed in range(shard, JOURNALS, _SHARDS):
        hold_together(*wild_run(seed), name=f"seed {seed}")


def test_they_agree_too_where_all_but_the_last_calls_and_attempts_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runwatch.fold.blocks.SIZE", 1)
    monkeypatch.setattr("runwatch.fold.ended.MOST_NEWS", 2)
    for seed in range(0, JOURNALS, 5):
        hold_together(*wild_run(seed), name=f"seed {seed}")


def test_the_two_implementations_agree_on_the_scenarios_too() -> None:
    hold_together(scenario_issues().lines, [], "issues")
    hold_together(scenario_steps().lines, [], "steps")


def test_they_agree_whatever_was_tracked_outside_of_agents_and_told_again() -> None:
    for seed in range(80):
        rng, journal = random.Random(seed), Journal()
        for _ in range(24):
            fields = {
                "issue": rng.choice((None, 1, "1", 2)),
                "agent": rng.choice((None, None, "a", "b")),
                "source": rng.choice((None, "sdk", "usage", "usage", "otlp.span")),
                "model": rng.choice((None, "gpt-4o", "gpt-4o-2024-08-06", "other")),
                "request_id": rng.choice((None, None, None, f"r{rng.randrange(5)}")),
                "prompt_tokens": rng.choice((100, 200)),
                "completion_tokens": rng.choice((10, 10, 20, None)),
                "total_tokens": rng.choice((None, None, 110)),
                "cost_usd": rng.choice((None, None, 0.25)),
                "step": rng.choice((None, 1, 2)),
                "duration_s": rng.choice((None, 0.5, 2.0)),
                "attempt": rng.choice((None, None, None, 1, 2)),
                "result": rng.choice(("success", "success", "success", "error")),
            }
            if rng.random() < 0.2:
                name = rng.choice(("started", "completed"))
                journal.add(f"agent.{name}", issue=1, agent="a", **({} if name == "started" else {"success": True}))
            journal.add("llm.completed", **{name: value for name, value in fields.items() if value is not None})
        hold_together(journal.lines, [], f"seed {seed}")
