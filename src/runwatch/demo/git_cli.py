"""Git in the scratch repository, and in no other.

Must not read the caller's configuration: identity and switches are the scratch repository's own.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from runwatch.demo.environment import clean

_LIMIT_S = 60.0


class GitFailed(Exception):
    """A git command failed; the text is git's own."""


def run(repository: Path, *arguments: str, check: bool = True) -> str:
    """Run one git command there and return its output, stripped. Raises GitFailed."""
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        env=clean(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=_LIMIT_S,
    )
    if check and done.returncode:
        raise GitFailed(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
