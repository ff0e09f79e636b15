"""commit.txt: head and base commit, branch, and what the branch changes, as plain text.

Must not ask git: all of it is in the metrics.
"""

from __future__ import annotations

from runwatch.fold.metrics import Metrics
from runwatch.views.layout import one_line
from runwatch.views.phrases import yes_no


def render(metrics: Metrics) -> str:
    """Return one ``name: value`` a line; without git, one line that says so."""
    code = metrics.code
    if code is None:
        return "git: none (the run was recorded outside a work tree, or before its first snapshot)\n"
    facts = {
        "head": one_line(code.head or "none"),
        "base": one_line(code.base or "none"),
        "branch": one_line(code.branch or "none (detached head)"),
        "commits": code.commits,
        "dirty": yes_no(code.dirty),
        "files_created": code.files_created,
        "files_modified": code.files_modified,
        "files_deleted": code.files_deleted,
        "files_renamed": code.files_renamed,
        "lines_added": code.lines_added,
        "lines_deleted": code.lines_deleted,
    }
    return "".join(f"{name}: {value}\n" for name, value in facts.items())
