"""Making the fold that a recorder feeds: with the configuration's prices and weights.

Must not read the journal.
"""

from __future__ import annotations

import os
from pathlib import Path

from runwatch.errors import SettingsError
from runwatch.settings import Settings, load


def load_settings() -> Settings:
    """Return the configuration in force; the defaults where it is wrong, since `run` has told the user already."""
    try:
        return load(Path.cwd(), os.environ)
    except (SettingsError, OSError):
        return Settings()
