"""What errors, alerts, checks and runwatch's own condition say in a log.

Must not write a log. Source of the components: record.md, "Logs".
"""

from __future__ import annotations

from runwatch.events.notices import (
    AlertRaised,
    Degraded,
    ErrorRecorded,
    LimitReached,
    OutcomeVerified,
    RecorderReplaced,
    VerificationChecked,
    Warned,
)
from runwatch.fold import alerts, losses
from runwatch.views.event_phrases.wording import Phrase, Phrasebook, because, ended, short, words

phrases = Phrasebook()
says = phrases.says


@says("orchestrator", ErrorRecorded)
def _error(event: ErrorRecorded) -> Phrase:
    return "ERROR", words((event.error_type or "error") + because(event.message), where=event.where)


@says("orchestrator", Warned)
def _warning(event: Warned) -> Phrase:
    return "WARNING", words(short(event.message), where=event.where)


@says("orchestrator", AlertRaised)
def _alert(event: AlertRaised) -> Phrase:
    return "WARNING", f"alert {alerts.in_words(event)}"


@says("orchestrator", LimitReached)
def _limit(event: LimitReached) -> Phrase:
    return "ERROR", f"limit reached: {alerts.in_words(event)}"


@says("orchestrator", RecorderReplaced)
def _recorder_replaced(event: RecorderReplaced) -> Phrase:
    return "WARNING", f"recorder replaced{because(event.reason)}"


@says("orchestrator", Degraded)
def _degraded(event: Degraded) -> Phrase:
    return "WARNING", words(f"degraded: {losses.in_words(event)}", since=event.since)


@says("validator", VerificationChecked)
def _checked(event: VerificationChecked) -> Phrase:
    return "INFO", words(
        f"checked {event.what}{because(event.verdict)}",
        expected=event.expected,
        observed=event.observed,
        source=event.source,
    )


@says("validator", OutcomeVerified)
def _outcome(event: OutcomeVerified) -> Phrase:
    return ended(event.success), words(
        f"outcome is {'success' if event.success else 'failure'}",
        source=event.source,
        evidence=event.evidence,
    )
