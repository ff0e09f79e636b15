"""Events in, metrics out, the same every time.

No I/O, no clock, no formatting: what is shown is made in views, from Metrics. Definitions: metrics.md.
"""

from runwatch.fold.fold import Fold
from runwatch.fold.metrics import Metrics
from runwatch.fold.settings import FoldSettings

__all__ = ["Fold", "FoldSettings", "Metrics"]
