"""Of a check that was made several times, the summaries end with its last word."""

from __future__ import annotations

import metrics_samples as samples
from runwatch.fold.metrics import Notice
from runwatch.views import summary_markdown, summary_text


def test_the_last_word_of_a_check_stands_last() -> None:
    metrics = samples.full()
    said = ("differs", "agrees", "verified", "differs")
    metrics.notices = [
        Notice(kind="verification.checked", message=f"usage: {verdict}", time=f"2026-11-21T23:05:{at}8Z")
        for at, verdict in enumerate(said)
    ]
    for text in (summary_text.render(metrics, samples.facts()), summary_markdown.render(metrics, samples.facts())):
        shown = [line for line in text.splitlines() if "verification.checked" in line]
        assert [line.rstrip("`").rpartition(" ")[2] for line in shown] == ["agrees", "verified", "differs"]
        assert "2 × " in shown[-1]
    assert "23:05:38 2 × " in summary_text.render(metrics, samples.facts())
