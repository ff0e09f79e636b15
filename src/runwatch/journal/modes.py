"""The modes of what a run is made of, and how its folders are opened.

Must not open anything. Source: record.md, "The run directory".
"""

from __future__ import annotations

import os

FILE_MODE = 0o600
DIR_MODE = 0o700
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How a folder is opened that must be no link: one may have been planted to have us write elsewhere."""
