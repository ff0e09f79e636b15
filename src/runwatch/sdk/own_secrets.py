"""What this program's environment holds by now that its run does not know: a `.env` that it loaded, a key it fetched.

Must not load anything where nothing of the kind has changed, keep a value, or raise into the user's program.
"""

from __future__ import annotations

import os

from runwatch.journal.paths import RunPaths
from runwatch.secret_names import announced


class OwnSecrets:
    """Told to one run as they come, as digests: whoever finalizes it takes them out."""

    def __init__(self, paths: RunPaths | None) -> None:
        """``paths``: of the run; None where there is none to tell."""
        self._paths = paths
        self._state: int | None = None
        """Hash of the whole environment when it was looked at."""
        self._seen: dict[str, int] = {}
        """Variable to the hash of what it held then."""

    def are_known(self) -> None:
        """Take what the environment holds now for known: the run's own processes are given it."""
        self._state, self._seen = _state(), _hashes()

    def look(self) -> None:
        """Tell what is new; it costs 3 µs where nothing is."""
        try:
            state = _state()
            if self._paths is None or state == self._state:
                return
            now = _hashes()
            changed = {name: os.environ.get(name, "") for name, value in now.items() if self._seen.get(name) != value}
            if found := announced(changed):
                from runwatch.journal.known_secrets import tell_own  # seldom needed

                tell_own(self._paths, found)
            self._state, self._seen = state, now
        except Exception:  # noqa: BLE001 - another thread changes it just now, or a full disk: looked at again
            pass


def _state() -> int:
    # Its own dictionary: to go through os.environ decodes every name and value, which takes ten times as long.
    return hash(tuple(getattr(os.environ, "_data", os.environ).items()))


def _hashes() -> dict[str, int]:
    return {name: hash(value) for name, value in os.environ.copy().items()}
