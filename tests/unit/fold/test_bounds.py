"""Numbers at the edge of what can be meant, and beyond it."""

from __future__ import annotations

import msgspec

from journals import Journal, fold_lines
from runwatch.fold import Fold, Metrics
from runwatch.fold.money import Price

NOW = "2026-11-21T12:00:00.000000Z"


def test_numbers_beyond_what_can_be_meant_are_unreadable_and_the_largest_that_can_be_count() -> None:
    journal = Journal()
    journal.run_started(llm={"model": "gpt-4o"})
    journal.llm(prompt_tokens=3, completion_tokens=1)
    before = fold_lines(journal.lines).metrics(NOW)
    kept = len(journal.lines)
    for beyond in ("99999999999999999999", "9223372036854775808", "1e308"):
        for kind in (
            '"llm.completed","prompt_tokens":{}', '"llm.completed","attempt":{}', '"llm.completed","duration_s":{}',
            '"tool.completed","tool":"t","duration_s":{}', '"resource.sample","cpu_percent":1,"rss_bytes":{}',
            '"steps.planned","total":{}', '"run.configured","mono":{}',
        ):  # fmt: skip
            journal.foreign('{"type":' + kind.format(beyond) + "}")
    after = fold_lines(journal.lines).metrics(NOW)
    assert after.journal.unreadable == before.journal.unreadable + len(journal.lines) - kept
    assert after.run == before.run
    for _ in range(3):
        journal.foreign(
            b'{"type":"llm.completed","model":"m","prompt_tokens":1000000000000,"completion_tokens":1000000000000,'
            b'"total_tokens":1000000000000,"duration_s":1e10,"attempt":1000000000000,"cost_usd":1e100,"call_id":"c"}'
        )
    journal.foreign(b'{"type":"metric.observed","kind":"histogram","name":"h","value":1e100}')
    journal.foreign(b'{"type":"alert.raised","rule":"r","value":' + b"9" * 400 + b',"threshold":1e300}')
    largest = fold_lines(journal.lines).metrics(NOW)
    assert largest.journal.unreadable == after.journal.unreadable
    assert largest.run.tokens.total >= 2 * 10**12
    assert msgspec.json.decode(msgspec.json.encode(largest), type=Metrics) == largest


def test_limits_and_weights_that_no_number_can_hold_are_none() -> None:
    journal = Journal()
    huge = 10**400
    journal.run_started(settings={"limits": {"max_cost_usd": huge, "max_tokens": 5}, "complexity": {"churn": huge}})
    run = journal.metrics().run
    assert (run.max_cost_usd, run.max_tokens) == (None, 5)


def test_a_line_that_cannot_be_counted_after_all_is_unreadable_and_ends_nothing() -> None:
    def price(*_: object) -> Price:
        raise OverflowError

    fold = Fold(price)
    fold.feed_line(b'{"type":"llm.completed","model":"m","prompt_tokens":1,"completion_tokens":1}')
    fold.feed_line(b'{"type":"tool.completed","tool":"t"}')
    metrics = fold.metrics(NOW)
    assert (metrics.journal.unreadable, [tool.name for tool in metrics.tools]) == (1, ["t"])
