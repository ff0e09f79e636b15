"""The overview: what was spent of what may be."""

from __future__ import annotations

import msgspec
import pytest

from runwatch.tui.panels import model, overview
from runwatch.views import summary_text
from tui import sample


def rows(width: int, **limits: float) -> list[str]:
    metrics = sample.metrics()
    metrics.run = msgspec.structs.replace(metrics.run, **limits)
    return [each.content.plain for each in overview.lines(metrics, width, 11)]


@pytest.mark.parametrize("width", [76, 87, 150])
def test_cost_and_tokens_are_said_with_what_they_may_become(width: int) -> None:
    shown = rows(width, max_cost_usd=5.0, max_tokens=100_000)
    assert all(len(row) <= width for row in shown)
    assert "$0.43 of $5.00" in shown[0]
    assert "18.2k of 100k tok" in shown[0] or "of 100k tok  11.2k prompt" in shown[1]
    assert [row.rstrip() for row in rows(width)[2:]] == [row.rstrip() for row in shown[2:]]
    assert not any(" of " in row for row in rows(width)[:2])


def test_a_cost_that_is_a_little_over_its_budget_does_not_look_the_same() -> None:
    metrics = sample.metrics()
    metrics.run = msgspec.structs.replace(metrics.run, cost_usd=0.052, max_cost_usd=0.05, unpriced_models=[])
    assert "$0.052 of $0.05" in overview.lines(metrics, 120, 11)[0].content.plain
    assert any("$0.052 of $0.05" in row.content.plain for row in model.lines(metrics, 120, 30))
    assert "\nCost:       $0.052 of $0.05\n" in summary_text.render(metrics)


def test_a_budget_of_which_nothing_is_spent_is_said_too() -> None:
    shown = rows(87, max_cost_usd=0.5, max_tokens=900, llm_calls=0)
    assert "– of $0.50" in shown[0]
    assert "– of 900 tok" in shown[0]


def test_what_is_over_its_limit_is_told_apart() -> None:
    def warned(**limits: float) -> int:
        metrics = sample.metrics()
        metrics.run = msgspec.structs.replace(metrics.run, **limits)
        first = overview.lines(metrics, 120, 11)[0].content
        return sum("rw-warning" in str(span.style) for span in first.spans)

    assert warned(max_cost_usd=0.5, max_tokens=20_000) == 0
    assert warned(max_cost_usd=0.4, max_tokens=20_000) == 1
    assert warned(max_cost_usd=0.4, max_tokens=18_000) == 2


def test_the_model_panel_says_the_budget_over_its_trends() -> None:
    metrics = sample.metrics()
    metrics.run = msgspec.structs.replace(metrics.run, max_cost_usd=5.0, max_tokens=100_000)
    shown = "\n".join(each.content.plain for each in model.lines(metrics, 120, 20))
    assert "18.2k of 100k tok" in shown
    assert "$0.43 of $5.00" in shown
