"""Errors, notices and questions."""

from __future__ import annotations

import pytest

from journals import Journal


def test_errors_are_counted_where_they_happened_and_grouped() -> None:
    journal = Journal()
    journal.add("step.started", step=1)
    for _ in range(3):
        journal.add("error", step=1, issue=7, agent="a", error_type="E", message="m", where="f.py", component="c")
    journal.add("error", error_type="E", message="other")
    metrics = journal.metrics()
    assert metrics.run.errors == 4
    assert (metrics.steps[0].errors, metrics.issues[0].total_errors, metrics.agents[0].errors) == (3, 3, 3)
    first = metrics.errors[0]
    assert (first.error_type, first.message, first.count, first.step, first.issue) == ("E", "m", 3, 1, 7)
    assert (first.component, first.where, first.first_time) == ("c", "f.py", "2026-11-21T10:00:00.000000Z")
    assert [group.count for group in metrics.errors] == [3, 1]


def test_groups_and_notices_and_texts_are_bounded_and_all_errors_are_counted() -> None:
    journal = Journal()
    for number in range(700):
        journal.add("error", message=f"m{number}")
        journal.add("warning", message=f"w{number}")
    journal.add("warning", message="x" * 100_000)
    metrics = journal.metrics()
    assert metrics.run.errors == 700
    assert len(metrics.errors) == 500
    texts = [notice.message for notice in metrics.notices]
    assert texts[:250] == [f"w{number}" for number in range(250)]
    assert texts[-2] == "w699"
    assert len(texts) == 500
    assert len(texts[-1]) == 4000


@pytest.mark.parametrize(
    ("rule", "value", "threshold", "said"),
    [
        ("max_cost_usd", 0.43, 0.4, "max_cost_usd: $0.43 (threshold $0.40)"),
        ("max_cost_usd", 0.052, 0.05, "max_cost_usd: $0.052 (threshold $0.05)"),
        ("max_cost_usd", 0.05, 0.05, "max_cost_usd: $0.05 (threshold $0.05)"),
        ("max_cost_usd", 0.05, None, "max_cost_usd: $0.05"),
        ("deviation of cost_usd", 0.052, "0.05", "deviation of cost_usd: $0.05 (threshold 0.05)"),
        ("max_tokens", 5000, 100, "max_tokens: 5,000 tokens (threshold 100 tokens)"),
        ("max_duration", 154.2, 60, "max_duration: 2m 34s (threshold 1m 00s)"),
        ("max_errors_per_minute", 12, 10.0, "max_errors_per_minute: 12 errors a minute (threshold 10 errors a minute)"),
        ("deviation of tokens", 9000, "10 ± 3 × 2", "deviation of tokens: 9,000 tokens (threshold 10 ± 3 × 2)"),
        ("service_down", "registry (503)", None, "service_down: registry (503)"),
        ("own", 5, 3, "own: 5 (threshold 3)"),
        ("max_tokens", "many", True, "max_tokens: many (threshold True)"),
        ("max_cost_usd", 1e300, -1e300, "max_cost_usd: 1e+300 (threshold -1e+300)"),
    ],
)
def test_values_and_thresholds_of_known_rules_have_their_units(
    rule: str, value: object, threshold: object, said: str
) -> None:
    journal = Journal()
    journal.add("alert.raised", rule=rule, value=value, threshold=threshold)
    assert [notice.message for notice in journal.metrics().notices] == [said]


def test_alerts_limits_checks_and_our_own_condition_are_told_in_one_line_each() -> None:
    journal = Journal()
    journal.add("alert.raised", rule="cost", value=6.1, threshold=5)
    journal.add("limit.reached", rule="duration", step=2)
    journal.add("verification.checked", what="tests", expected=3, observed=2, verdict="differs", source="ci")
    journal.add("recorder.replaced", reason="killed by SIGKILL")
    journal.add("degraded", dropped=3, since="2026-11-21T10:00:00Z")
    journal.add("degraded", dropped=5)
    journal.add("outcome.verified", issue=3, agent="a", success=True, source="git", evidence="merged")
    journal.add("warning", message="gone", where="coverage")
    metrics = journal.metrics()
    assert [(notice.kind, notice.message) for notice in metrics.notices] == [
        ("alert.raised", "cost: 6.1 (threshold 5)"),
        ("limit.reached", "duration"),
        ("verification.checked", "tests: differs, expected 3, observed 2 (ci)"),
        ("recorder.replaced", "killed by SIGKILL"),
        ("degraded", "3 events dropped since 2026-11-21T10:00:00Z"),
        ("degraded", "5 events dropped since 2026-11-21T10:00:00.000000Z"),
        ("outcome.verified", "issue 3 agent a: success by git, merged"),
        ("warning", "coverage: gone"),
    ]
    assert [notice.success for notice in metrics.notices] == [None] * 6 + [True, None]
    assert (metrics.run.alerts, metrics.run.recorders_replaced) == (2, 1)
    assert (metrics.journal.dropped, metrics.journal.dropped_since) == (5, "2026-11-21T10:00:00Z")


def test_each_writer_tells_its_own_total_of_dropped_events() -> None:
    journal = Journal()
    for writer, dropped in (("a", 3), ("b", 2), ("a", 5)):
        journal.add("degraded", writer=writer, dropped=dropped)
    assert journal.metrics().journal.dropped == 7


def test_a_question_waits_for_its_answer() -> None:
    journal = Journal()
    journal.run_started()
    journal.add("hitl.requested", question="first?", call_id="a")
    journal.add("hitl.requested", after=1, question="second?")
    journal.add("hitl.answered", after=2, call_id="a", answer="yes")
    journal.add("hitl.answered", answer="no", wait_s=0.5)
    journal.add("hitl.answered", answer="to nothing")
    journal.add("hitl.requested", question="third?")
    assert [(q.question, q.answer, q.wait_s) for q in journal.metrics().questions] == [
        ("first?", "yes", 3.0), ("second?", "no", 0.5), ("third?", None, None),
    ]  # fmt: skip
    journal.run_completed(after=4)
    assert journal.metrics().questions[-1].wait_s == 4.0


def test_the_state_of_a_check_is_its_last_word_and_a_whole_speaks_for_its_parts() -> None:
    journal = Journal()

    def check(what: str, verdict: str, **more: object) -> None:
        journal.add("verification.checked", after=1, what=what, verdict=verdict, **more)

    def states() -> list[tuple[str, str, int | None]]:
        return [(each.what, each.verdict, each.checks) for each in journal.metrics().checks]

    check("tests", "agrees")
    check("usage", "verified", checks=2, digest="a", source="a.csv")
    check("tests", "differs")
    assert states() == [("usage", "verified", 2), ("tests", "differs", None)]
    check("usage o3 2026-11-21", "differs", digest="b")
    check("usage", "differs", checks=0, digest="b")
    assert states()[1:] == [("usage o3 2026-11-21", "differs", None), ("usage", "differs", 0)]
    check("usage gpt-4o 2026-11-21", "differs", digest="c")
    check("usage", "differs", checks=0, digest="c")
    assert [what for what, _, _ in states()] == ["tests", "usage gpt-4o 2026-11-21", "usage"]
    check("usage", "agrees", checks=1, digest="c", source="c.csv")
    assert states() == [("tests", "differs", None), ("usage", "agrees", 1)]
    assert journal.metrics().checks[-1].source == "c.csv"
    for number in range(300):
        check(f"c{number}", "agrees")
    assert (len(states()), states()[-1][0]) == (250, "c299")
