"""What is published of texts whose secrets cannot be told any more, since what was known of them is lost.

Must not decide that it is lost, nor touch names, numbers and times: they are what a run is found by.
"""

from __future__ import annotations

from typing import Any

from runwatch.redact.rules import MARK

LOST = f"{MARK}secrets lost]"
"""What stands for a text that may hold one."""
SENTENCE = (
    "what was known of this run's secrets is lost (.secrets.json): texts that may hold one are withheld, "
    "and stand in the logs and the archive alone"
)
WHERE = "redact"
_NOTICE = f"{WHERE}: {SENTENCE}"
_TEXTS = {
    *(
        "answer",
        "command",
        "error",
        "error_message",
        "evidence",
        "expected",
        "failed_jobs",
        "help",
        "labels",
        "message",
    ),
    *("note", "observed", "question", "reason", "threshold", "title", "triggered_by", "value", "what", "where"),
}
"""Fields in which a program, a command or a person says what they like."""
_OURS = ("the machine went down", "its processes are gone", "the supervisor was killed", "the program ended without")
"""How reasons begin that runwatch itself gives for the end of a run that nobody saw."""


def withheld(tree: Any, key: str = "") -> Any:
    """Return a value made of mappings, lists and plain values without the texts that may hold a secret."""
    if isinstance(tree, dict):
        return {name: withheld(each, key if key in _TEXTS else name) for name, each in tree.items()}
    if key not in _TEXTS:
        return [withheld(each) for each in tree] if isinstance(tree, list) else tree
    if isinstance(tree, list):
        return [LOST] if tree else tree
    is_ours = tree in (SENTENCE, _NOTICE) or (key == "reason" and str(tree).startswith(_OURS))
    return LOST if isinstance(tree, str) and tree and not is_ours else tree
