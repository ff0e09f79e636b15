"""Steps 5 and 6: the whole pipeline again, and what is left for people to read.

Must not repair anything.
"""

from __future__ import annotations

from runwatch import service
from runwatch.demo import git_cli
from runwatch.demo.bench import Bench, RepairFailed
from runwatch.demo.checking import Pipelines
from runwatch.demo.pipeline import Result
from runwatch.demo.registry import NAME
from runwatch.demo.scratch import BASE

CHANGELOG = "CHANGELOG.md"


def verify(bench: Bench, pipelines: Pipelines, before: Result) -> Result:
    """Test everything once more, and have the result looked at. Raises RepairFailed."""
    after = pipelines.run(bench.head(), by="orchestrator")
    if not after.passed:
        raise RepairFailed(f"pipeline {after.number} {after.status}: {', '.join(after.failed_jobs)}")
    for file, passed in after.tests.by_file.items():
        bench.ask("bears", bench.read_file(file), file=file, passed=passed)
    commits = git_cli.run(bench.repository, "rev-list", "--count", f"{BASE}..HEAD")
    bench.ask("diff", bench.diff(f"{BASE}...HEAD"), commits=commits)
    if before.coverage is not None and after.coverage is not None:
        was, now = before.coverage.percent, after.coverage.percent
        bench.ask("coverage", before=was, after=now)
        bench.metrics.info("coverage %.1f %% before, %.1f %% now", was, now, extra={"before": was, "after": now})
        bench.say(f"  coverage {was:.1f} % before, {now:.1f} % now")
    return after


def report(bench: Bench, after: Result) -> None:
    """Write the change log, close the issues in the registry, and say what is next."""
    entries = []
    for issue in bench.story.issue:
        entries.append(bench.ask("summary", issue.body, issue=issue.id, title=issue.title, choice=issue.choice))
        with service(NAME, "set_status"):
            bench.registry.set_status(issue.id, "resolved")
            bench.pace.rest(0.08)
        bench.say(f"  issue {issue.id}: resolved")
    entry = "\n".join(f"- {line}" for line in entries)
    bench.ask("changelog", "\n".join(entries), entry=entry)
    bench.write_file(CHANGELOG, f"# Changes\n\n## Unreleased\n\n{entry}\n")
    bench.commit("Say what was repaired", [CHANGELOG], "coding")
    bench.ask("next", entry)
    bench.say(f"{after.tests.passed} tests pass, no issue is open")
