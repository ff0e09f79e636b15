"""The garbage collector's rest while the app starts.

Must not import Textual: the rest begins before that import, which makes most of what the collector would look at.
Some 70,000 objects come into being until the first frame, and nearly all stay: looking at them again and again took a
fifth of the CPU time to that frame.
"""

from __future__ import annotations

import gc

AFTER_S = 1.0
"""How long after its first frame the app wakes the collector."""

_resting = False


def rest() -> None:
    """Stop collecting until ``wake``."""
    global _resting
    if gc.isenabled():
        gc.disable()
        _resting = True


def wake() -> None:
    """Collect again, but never look at what was made during the rest; nothing happens without one."""
    global _resting
    if _resting:
        _resting = False
        gc.freeze()
        gc.enable()
