"""Status and reason from how a command ended and who asked for it."""

from __future__ import annotations

import signal

import pytest

from runwatch.record.outcome import Stop, decide, not_started, owner_lost, signal_name, signal_number

NOW = "2026-10-20T14:23:45.000000Z"


@pytest.mark.parametrize(
    ("wait_status", "stop", "status", "code", "name"),
    [
        (0, None, "completed", 0, None),
        (3 << 8, None, "failed", 3, None),
        (signal.SIGTERM, None, "interrupted", None, "SIGTERM"),
        (signal.SIGKILL, None, "crashed", None, "SIGKILL"),
        (signal.SIGSEGV, None, "crashed", None, "SIGSEGV"),
        (0, Stop(by="Ctrl-C"), "interrupted", 0, None),
        (130 << 8, Stop(by="Ctrl-C"), "interrupted", 130, None),
        (signal.SIGKILL, Stop(by="runwatch stop"), "interrupted", None, "SIGKILL"),
    ],
)
def test_the_status_follows_from_the_end(
    wait_status: int, stop: Stop | None, status: str, code: int | None, name: str | None
) -> None:
    outcome = decide(wait_status=wait_status, stop=stop, ended=NOW)
    assert (outcome.status, outcome.exit_code, outcome.signal) == (status, code, name)


def test_the_reason_names_who_and_how() -> None:
    assert decide(wait_status=3 << 8, stop=None, ended=NOW).reason == "exit code 3"
    assert decide(wait_status=11, stop=None, ended=NOW, core_dumped=True).reason == "killed by SIGSEGV (core dumped)"
    assert decide(wait_status=2, stop=Stop(by="Ctrl-C"), ended=NOW).reason == "stopped by Ctrl-C, killed by SIGINT"
    killed = decide(wait_status=9, stop=Stop(by="SIGTERM"), ended=NOW, killed="killed after the grace time")
    assert killed.reason == "stopped by SIGTERM, killed after the grace time"
    late = decide(wait_status=0, stop=Stop(by="SIGTERM"), ended=NOW, killed="killed after the grace time")
    assert late.reason == "stopped by SIGTERM, exit code 0"


def test_ends_of_runwatchs_own_are_marked_as_such() -> None:
    assert not_started(127, "x: command not found", NOW).own
    assert owner_lost(NOW).status == "crashed"
    assert owner_lost(NOW).exit_code is None
    limit = decide(wait_status=15, stop=Stop(by="a limit", limit="max_cost_usd"), ended=NOW)
    assert (limit.own, limit.exit_code, limit.signal) == (True, 124, None)
    assert limit.reason is not None
    assert "max_cost_usd" in limit.reason


def test_every_signal_is_found_again_by_the_name_it_is_given() -> None:
    for number in range(1, signal.SIGRTMAX + 1):
        assert signal_number(signal_name(number)) == number
    assert signal_number("SIGNOTHING") is None
    assert signal_number("words") is None
