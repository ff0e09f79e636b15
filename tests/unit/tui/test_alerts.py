"""Which alerts a person is told of: those that come while somebody looks at a live run."""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, Notice, Run
from runwatch.tui.alerts import Alerts
from runwatch.tui.state import Life, Snapshot


def look(*rules: str, life: Life = Life.RUNNING, read_ratio: float = 1.0) -> Snapshot:
    notices = [Notice(kind="warning", message="w")]
    notices += [Notice(kind="alert.raised", message=f"{rule}: 2", rule=rule) for rule in rules]
    notices += [Notice(kind="limit.reached", message="l", rule="l")] if "l" in rules else []
    count = len(rules) + ("l" in rules)
    return Snapshot(metrics=Metrics(run=Run(alerts=count), notices=notices), life=life, read_ratio=read_ratio)


def told(alerts: Alerts, snapshot: Snapshot) -> list[str | None]:
    return [notice.rule for notice in alerts.new(snapshot)]


def test_those_that_were_there_at_first_are_not_told_and_new_ones_are_once() -> None:
    alerts = Alerts()
    assert told(alerts, look("a")) == []
    assert told(alerts, look("a")) == []
    assert told(alerts, look("a", "b", "l")) == ["b", "l", "l"]
    assert told(alerts, look("a", "b", "l")) == []


def test_of_a_run_that_began_with_the_app_the_first_ones_are_told_too() -> None:
    alerts = Alerts(from_start=True)
    assert told(alerts, look("a", read_ratio=0.5)) == []
    assert told(alerts, look("a", "b")) == ["a", "b"]
    assert told(alerts, look("a", "b", "c")) == ["c"]


def test_while_a_long_journal_is_read_nothing_is_told() -> None:
    alerts = Alerts()
    assert told(alerts, look(read_ratio=0.1)) == []
    assert told(alerts, look("a", "b", read_ratio=0.7)) == []
    assert told(alerts, look("a", "b", "c")) == []
    assert told(alerts, look("a", "b", "c", "d")) == ["d"]


def test_of_a_run_that_has_ended_nothing_is_told() -> None:
    alerts = Alerts()
    assert told(alerts, look()) == []
    assert told(alerts, look("a", life=Life.FINALIZING)) == []
    assert told(alerts, look("a", "b", life=Life.ENDED)) == []


def test_a_journal_that_began_anew_is_counted_anew() -> None:
    alerts = Alerts()
    assert told(alerts, look("a", "b")) == []
    assert told(alerts, look()) == []
    assert told(alerts, look("c")) == ["c"]
