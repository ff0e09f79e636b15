"""Usage by day and model adds up to the totals, whatever counts once."""

from __future__ import annotations

import pytest

from journals import Journal
from runwatch.events import decode
from runwatch.fold import Fold, FoldSettings
from runwatch.fold.by_day import ALL_CALLS, usage_by_day


def folded(journal: Journal) -> Fold:
    fold = Fold(settings=FoldSettings(remembered_calls=ALL_CALLS))
    for line in journal.lines:
        fold.feed(decode(line))
    return fold


def test_days_and_models_add_up_to_the_totals_and_what_is_told_twice_counts_once() -> None:
    journal = Journal()  # begins at ten in the morning, UTC
    journal.add("run.started", framework="f", run_id="r", llm={"provider": "openai", "model": "gpt-4o"})
    numbers = {"prompt_tokens": 100, "completion_tokens": 10, "cost_usd": 0.1}
    journal.add("llm.completed", request_id="a", **numbers)
    journal.add("llm.completed", request_id="a", **numbers)  # the same line once more
    journal.add("llm.completed", model="o3", request_id="b", **numbers)
    journal.add("llm.completed", after=15 * 3600, request_id="c", **numbers)
    # two sources tell of one call, without an id
    journal.add("llm.completed", agent="coding", issue=1, prompt_tokens=7, completion_tokens=3)
    journal.add("llm.completed", agent="coding", issue=1, source="usage", prompt_tokens=7, completion_tokens=3)
    journal.add("llm.completed", result="timeout", error="late")
    fold = folded(journal)
    rows = usage_by_day(fold)
    assert [(row.day, row.model, row.calls, row.prompt, row.completion, row.cost_usd) for row in rows] == [
        ("2026-11-21", "gpt-4o", 1, 100, 10, 0.1),
        ("2026-11-21", "o3", 1, 100, 10, 0.1),
        ("2026-11-22", "gpt-4o", 2, 107, 13, 0.1),
    ]
    run = fold.metrics(journal.now).run
    assert sum(row.prompt for row in rows) == run.tokens.prompt
    assert sum(row.completion for row in rows) == run.tokens.completion
    assert sum(row.cost_usd or 0 for row in rows) == pytest.approx(run.cost_usd)


def test_a_call_that_is_corrected_later_stays_on_its_own_day() -> None:
    journal = Journal()
    journal.add("run.started", framework="f", run_id="r")
    journal.add("llm.completed", model="m", request_id="a", prompt_tokens=100, completion_tokens=1)
    journal.add("llm.completed", after=86_400, model="m", request_id="a", prompt_tokens=100, completion_tokens=50)
    (row,) = usage_by_day(folded(journal))
    assert (row.day, row.completion) == ("2026-11-21", 50)
