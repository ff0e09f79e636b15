"""Whether the branches of a finalized run were merged or closed since: asked of git or a forge, noted and published.

Must not believe what an agent said, nor take a branch without commits of its own for merged.
Source: metrics.md, "external truth".
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from runwatch.errors import UsageError
from runwatch.events.notices import OutcomeVerified
from runwatch.finalize import post
from runwatch.finalize.whereabouts import work_tree_of
from runwatch.fold import Fold
from runwatch.fold.metrics import CodeMetrics, IssueMetrics, Metrics
from runwatch.journal.follow import events
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text
from runwatch.settings import Settings
from runwatch.sources.forge import MergeRequest
from runwatch.vcs import Repository

AskForge = Callable[[str], MergeRequest | None]
"""Branch → its newest merge request."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one issue's branch."""

    issue: int | str
    branch: str | None
    state: Literal["merged", "closed", "open"]
    """open: neither, as far as can be known."""
    source: Literal["git", "forge"]
    evidence: str
    is_new: bool
    """Whether it was noted now."""


def look(
    run_dir: Path,
    settings: Settings,
    *,
    issue: str | None = None,
    agent: str | None = None,
    ask: AskForge | None = None,
) -> list[Found]:
    """Note what became of the branch of each issue, or of one, and publish it; with ``agent``, of its last attempt too.

    Without ``ask`` git tells: the branch's head at the end is in the base, and had commits of its own. What is noted
    already is not noted again. Raises UsageError, GitError, ForgeError, RunBusy, RecordError.
    """
    paths = RunPaths(run_dir)
    post.check_ended(paths)
    metrics = post.feed(Fold(), paths).metrics(now_text())
    told = _told(paths)
    found = []
    for each in _issues(metrics, issue, paths.run_id):
        code = each.code if each.code is not None and each.code.head else metrics.code
        state, source, evidence = _by_forge(code, ask) if ask is not None else _by_git(paths, code, settings)
        is_new = state != "open" and (str(each.issue), agent, state == "merged") not in told
        branch = code.branch if code is not None else None
        found.append(
            Found(issue=each.issue, branch=branch, state=state, source=source, evidence=evidence, is_new=is_new)
        )
    facts = [("outcome.verified", _fields(one, agent)) for one in found if one.is_new]
    if facts:
        post.publish(paths.root, settings, facts)
    return found


def lines(found: list[Found]) -> list[str]:
    """Return a line an issue."""
    known = {one.issue for one in found if one.state != "open" and not one.is_new}
    return [
        f"issue {one.issue}: {one.state} ({one.source}: {one.evidence})"
        + (", noted before" if one.issue in known else "")
        for one in found
    ]


def _issues(metrics: Metrics, wanted: str | None, run_id: str) -> list[IssueMetrics]:
    chosen = [each for each in metrics.issues if wanted is None or str(each.issue) == wanted]
    if not chosen:
        named = ", ".join(str(each.issue) for each in metrics.issues[:20]) or "none"
        raise UsageError(f"{run_id} has no issue {wanted or 'at all'}: its issues are {named}.")
    own = [each for each in chosen if each.code is not None and each.code.head]
    if len(chosen) > 1 and not own:
        raise UsageError(f"{run_id} has {len(chosen)} issues and one branch: name the issue that it is of.")
    return own if len(chosen) > 1 else chosen


def _by_git(paths: RunPaths, code: CodeMetrics | None, settings: Settings) -> tuple[Any, Any, str]:
    work_tree = work_tree_of(paths)
    if work_tree is None or code is None or not code.head:
        return "open", "git", "no branch of it is known"
    if not code.commits:
        return "open", "git", f"{code.branch or code.head[:12]} had no commits of its own"
    with Repository.of(work_tree) as repo:
        base = repo.reached_base(code.head, code.branch, settings.git.base)
    name = f"{code.branch or 'the branch'} at {code.head[:12]}"
    return ("merged", "git", f"{name} is in {base[:12]}") if base else ("open", "git", f"{name} is in no base")


def _by_forge(code: CodeMetrics | None, ask: AskForge) -> tuple[Any, Any, str]:
    if code is None or not code.branch:
        return "open", "forge", "no branch of it is known"
    request = ask(code.branch)
    if request is None:
        return "open", "forge", f"{code.branch} has no merge request"
    where = f", {request.url}" if request.url else ""
    return request.state, "forge", f"branch {code.branch} {request.state}{where}"


def _told(paths: RunPaths) -> set[tuple[str, str | None, bool]]:
    """Return issue, agent and success of every outcome that was noted."""
    both = [*(event for _, event in events(paths.journal)), *post.known(paths)]
    return {
        (str(event.issue), event.agent, event.success)
        for event in both
        if isinstance(event, OutcomeVerified) and event.issue is not None and event.source in ("git", "forge")
    }


def _fields(found: Found, agent: str | None) -> dict[str, Any]:
    fields = {
        "issue": found.issue, "success": found.state == "merged", "source": found.source, "evidence": found.evidence,
    }  # fmt: skip
    return fields if agent is None else {**fields, "agent": agent}
