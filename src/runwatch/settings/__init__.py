"""The configuration in force: typed groups, read from flags, environment, project and user.

Must not act on any of it, and must stay quick to import: `run` pays for it before the command starts.
"""

from runwatch.settings.groups import Alerts, Limits, ModelPrice, Settings
from runwatch.settings.loading import file_to_change, load, runs_root, where_set
from runwatch.settings.places import project_file, user_file

__all__ = [
    "Alerts",
    "Limits",
    "ModelPrice",
    "Settings",
    "file_to_change",
    "load",
    "project_file",
    "runs_root",
    "user_file",
    "where_set",
]
