"""What each type of event says in a log: its component, its level, its words; one module a subject, as in events.

Must not encode a line, nor decide which file it goes to.
"""

from runwatch.views.event_phrases import calls, lifecycle, measures, notices, work
from runwatch.views.event_phrases.calls import usage
from runwatch.views.event_phrases.wording import Level, Make

PHRASES: dict[str, tuple[str, Make]] = (
    calls.phrases | lifecycle.phrases | measures.phrases | notices.phrases | work.phrases
)
"""Wire name to component and wording; a type that is not here leaves no line."""

__all__ = ["PHRASES", "Level", "usage"]
