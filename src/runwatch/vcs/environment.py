"""What the environment may say to runwatch's git commands, and what it must not.

Must not change the environment of this process. A hook, an alias or `git rebase --exec` leaves variables behind
that would turn every command to another repository or another index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

KEPT = re.compile(
    r"GIT_(?:(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL)"
    r"|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)"
    r"|EXEC_PATH|SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|ASKPASS|PROXY_\w+)\Z"
)
"""Variables that say who the user is, where the configuration lies and how git reaches its parts."""

FIXED = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_EDITOR": ":",
    "GIT_PAGER": "cat",
}
"""Set for every command: no lock, no question, no network for a look, no editor, no pager."""

NO_HOOKS = ("core.hooksPath=/dev/null",)
"""Configuration of every command but those that are there to run the user's hooks."""

OVERRIDES = (
    "core.fsmonitor=false",
    "core.safecrlf=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    "color.ui=false",
)
"""Configuration of every command: no monitor of the user's, no refusal over line ends, nothing in the background."""


def stripped(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that runwatch's git commands must not see, sorted."""
    return sorted(name for name in environ if name.startswith("GIT_") and not KEPT.match(name) and name not in FIXED)
