"""The branch at hand, looked at again only when something may have changed.

No metrics, no journal: each look is the fields of one ``git.snapshot`` event. Must not cost more than it tells: a look
at what was edited is spaced so that it takes at most 1 % of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from runwatch.errors import RunwatchError
from runwatch.settings import Settings
from runwatch.vcs import UNBORN, Found, Repository, Snapshot, change_key, no_base

EDITS_EVERY_S = 5.0
"""Edits show in no stamp of git's: from one look for them to the next at least this long."""
EDITS_SHARE = 100
"""And at least this many times what the last look took."""
GIT_EVERY_S = 1.0
"""The same after git itself did something; a script may commit in a loop."""
GIT_SHARE = 20
"""And at least this many times what the last look took."""


def left_out(top: Path, settings: Settings, run: Path | None) -> tuple[str, ...]:
    """Return the folders of runs, from the top of a work tree: what runwatch writes is no work.

    They are the one that is configured, else ``runs``, and that of the ``run`` at hand where it lies there, too: what
    counts does not depend on where the run lies that asks.
    """
    top = top.resolve()
    folders = [(top / (settings.run.runs_dir or "runs")).resolve(), *([run.resolve().parent.parent] if run else [])]
    names = [folder.relative_to(top).as_posix() for folder in folders if folder != top and folder.is_relative_to(top)]
    configured = names if folders[0].is_relative_to(top) else ["runs", *names]
    return tuple(dict.fromkeys(configured))


class GitSource:
    """Snapshots of one work tree. For one thread."""

    def __init__(
        self,
        work_tree: Found,
        base: str | None = None,
        start_head: str | None = None,
        *,
        exclude: tuple[str, ...] = ("runs",),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``start_head`` is HEAD at the start of the run, None where there was no commit; ``clock`` times the looks.

        ``base`` is the configured base, ``exclude`` the folders at the top of the work tree that do not count.
        """
        self._work_tree = work_tree
        self._base = base
        self._start_head = start_head or UNBORN
        self._exclude = exclude
        self._clock = clock
        self._seen: Snapshot | None = None
        self._key: object = None
        self._git_from = self._edits_from = float("-inf")
        self.failure: str | None = None
        """Why the last look failed; None when it did not."""
        self.notice: str | None = None
        """What the figures lack, known from the first look on."""

    def poll(self, now_mono: float) -> dict[str, Any] | None:
        """Return the fields of a ``git.snapshot`` event where they differ from the last ones, else None. Never raises.

        ``now_mono`` is in seconds of the monotonic clock; infinity looks once more, whatever the spacing says.
        """
        if now_mono < self._git_from:
            return None
        key = change_key(self._work_tree.git_dir)
        if key == self._key and now_mono < self._edits_from:
            return None
        self._key = key  # taken before the look: what changes meanwhile shows the next time
        found = self._look(now_mono)
        if found is None or found == self._seen:
            return None
        self._seen = found
        return msgspec.structs.asdict(found)

    def _look(self, now_mono: float) -> Snapshot | None:
        start = self._clock()
        try:
            with Repository.of(self._work_tree) as repo:
                start = self._clock()  # the first time, opening imports GitPython
                found = repo.snapshot(self._base, self._exclude, start_head=self._start_head)
                if self._seen is None and found.base == self._start_head:
                    self.notice = no_base(repo, repo.head(), self._base)
        except (RunwatchError, OSError, ValueError) as error:
            self.failure = str(error)
            found = None
        else:
            self.failure = None
        took_s = self._clock() - start
        self._git_from = now_mono + max(GIT_EVERY_S, GIT_SHARE * took_s)
        self._edits_from = now_mono + max(EDITS_EVERY_S, EDITS_SHARE * took_s)
        return found
