"""What the errors panel lists, and what it does not."""

from __future__ import annotations

from runwatch.fold.metrics import Metrics, Notice
from runwatch.tui.panels import errors


def shown(message: str, kind: str = "outcome.verified", *, success: bool | None = None) -> str:
    """Return the panel's text."""
    notices = [Notice(kind=kind, message=message, success=success)]
    return "\n".join(line.content.plain for line in errors.lines(Metrics(notices=notices), 100, 10))


def test_a_verified_success_is_no_warning() -> None:
    assert shown("issue 7: failure to be seen, by ci", success=True) == ""


def test_a_verified_failure_is_one_whatever_its_evidence_says() -> None:
    told = shown("issue 7 agent a: failure by ci, log says: success by accident", success=False)
    assert "! " in told
    assert "failure by ci" in told


def test_other_notices_that_speak_of_success_stay() -> None:
    assert "success by ci" in shown("rule: success by ci", kind="alert.raised")
