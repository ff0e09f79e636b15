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
    seen = None if code is None else code.changes
    if code is None or seen is None:
        return "git: none (the run was recorded outside a work tree, or before its first snapshot)\n"
    facts = {
        "head": one_line(code.head or "none"),
        "base": one_line(code.base or "none"),
        "branch": one_line(code.branch or "none (detached head)"),
        "commits": seen.commits,
        "dirty": yes_no(seen.dirty),
        "files_created": seen.files_created,
        "files_modified": seen.files_modified,
        "files_deleted": seen.files_deleted,
        "files_renamed": seen.files_renamed,
        "lines_added": seen.lines_added,
        "lines_deleted": seen.lines_deleted,
    }
    return "".join(f"{name}: {value}\n" for name, value in facts.items())
