"""What measures of the repository and the tests say in a log; samples and a program's own instruments say nothing.

Must not write a log. Source of the components: record.md, "Logs".
"""

from __future__ import annotations

from runwatch.events.measures import CoverageMeasured, GitOperation, GitSnapshot, TestsMeasured
from runwatch.units import percent
from runwatch.views.event_phrases.wording import Phrase, Phrasebook, ended, took, words

phrases = Phrasebook()
says = phrases.says


@says("orchestrator", GitSnapshot)
def _git_snapshot(event: GitSnapshot) -> Phrase:
    return "INFO", words(
        "git",
        branch=event.branch,
        head=event.head[:12] if event.head else None,
        commits=event.commits,
        files=f"+{event.files_created},~{event.files_modified},-{event.files_deleted}",
        renamed=event.files_renamed or None,
        lines=f"+{event.lines_added},-{event.lines_deleted}",
        dirty="yes" if event.dirty else None,
    )


@says("orchestrator", GitOperation)
def _git_operation(event: GitOperation) -> Phrase:
    return ended(event.result not in ("failed", "failure", "error", "conflict")), words(
        f"git {event.operation} {event.result}",
        duration=took(event.duration_s),
        conflicts=event.conflict_count,
        files_modified=event.files_modified,
        method=event.method,
    )


@says("validator", CoverageMeasured)
def _coverage(event: CoverageMeasured) -> Phrase:
    lines = None if event.lines_total is None else f"{event.lines_covered or 0}/{event.lines_total}"
    return "INFO", words(f"coverage {percent(event.percent)}", lines=lines, source=event.source)


@says("validator", TestsMeasured)
def _tests(event: TestsMeasured) -> Phrase:
    if event.gone:
        return "INFO", words("test report is gone", source=event.source or event.file)
    return ended(not event.failed and not event.errors), words(
        "tests",
        passed=event.passed,
        failed=event.failed,
        skipped=event.skipped,
        errors=event.errors,
        duration=took(event.duration_s),
        source=event.source,
    )
