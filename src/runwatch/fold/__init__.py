"""Events in, metrics out, the same every time.

No I/O, no clock, no formatting: what is shown is made in views, from Metrics. Definitions: metrics.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runwatch.fold.metrics import Metrics

if TYPE_CHECKING:
    from runwatch.fold.fold import Fold
    from runwatch.fold.settings import FoldSettings

__all__ = ["Fold", "FoldSettings", "Metrics"]


def __getattr__(name: str) -> Any:
    """Import the fold when it is first asked for: who only shows metrics does not pay for every event type."""
    if name == "Fold":
        from runwatch.fold.fold import Fold

        return Fold
    if name == "FoldSettings":
        from runwatch.fold.settings import FoldSettings

        return FoldSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
