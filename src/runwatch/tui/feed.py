"""The thread that follows one run on disk and tells its screen, at most five times a second, how it stands.

Must not touch a widget and must not write: it reads the run directory and calls ``post`` with a Snapshot.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from runwatch.events.notices import Degraded
from runwatch.fold import Fold
from runwatch.fold.losses import overlaid
from runwatch.fold.metrics import Metrics
from runwatch.journal.beneath import open_regular, read_regular
from runwatch.journal.follow import Follower, read_line
from runwatch.journal.held import HeldDirectory
from runwatch.journal.lock import Role, heartbeat_age_s, holders
from runwatch.journal.log_files import RunLogs
from runwatch.journal.losses import read_losses
from runwatch.journal.paths import RunPaths
from runwatch.tui.state import LIVE, Ending, Life, Pulse, Snapshot, judge
from runwatch.tui.unpacked import Unpacked
from runwatch.units import format_time

TURN_S = 0.1
"""Pause between two looks at a run that goes on."""
POST_S = 0.2
"""Pause between two snapshots: numbers that change faster cannot be read, and each costs a frame."""
REST_S = 1.0
"""Pause once the run has ended."""
PULSE_S = 0.5
"""How often the lock is looked at."""
SLICE_S = 0.08
"""How long the journal is folded before a snapshot is due."""
BIG_JOURNAL_BYTES = 4 << 20
"""From here on metrics.json is shown until the fold has caught up."""
GRACE_S = 3.0
"""A run that was just created may have no owner or recorder for so long."""
SUMMARY_BYTES = 1 << 20
"""A summary is about 10 KB; what claims to be one is not read beyond this."""

TICKING = LIVE | {Life.FINALIZING}
"""Conditions in which the clock runs."""

_T = TypeVar("_T")
_Stamp = tuple[int, int, int]


def now_text() -> str:
    """Return the time now, RFC 3339."""
    return format_time(datetime.now(UTC))


class Feed:
    """Follows one run. ``run`` blocks until ``stop``; everything else may be called from any thread."""

    def __init__(
        self,
        run_dir: Path,
        post: Callable[[Snapshot], None],
        *,
        new_fold: Callable[[], Fold],
        clock: Callable[[], str] = now_text,
    ) -> None:
        self.paths = RunPaths(run_dir)
        self._held = HeldDirectory(run_dir)
        self.logs = RunLogs(run_dir)
        self._post = post
        self._new_fold = new_fold
        self._clock = clock
        self._stop = threading.Event()
        self._fold: Fold | None = None
        self._follower = Follower(self.paths.journal)
        self._post_follower = Follower(self.paths.post)
        self._began = time.monotonic()
        self._pulse_at = -PULSE_S
        self._seen_recorder = float("-inf")
        self._stamps: dict[Path, _Stamp | None] = {}
        self._early: Metrics | None = None
        self._losses: list[Degraded] = []
        """What could not be recorded, of each process."""
        self._snapshot = Snapshot()
        self._pulse = Pulse()
        self._posted_at = 0.0
        self._read_ratio = 1.0
        self._logs_seen = 0
        self._unpacked = Unpacked()
        self._dirty = True

    def run(self) -> None:
        """Follow the run until ``stop`` is called."""
        try:
            self._open()
            while not self._stop.is_set():
                caught_up = self._turn() and not self.logs.unseen
                if caught_up and self._snapshot.life not in (*TICKING, Life.OPENING, Life.GONE):
                    self._look_into_archive()
                self._stop.wait(0.002 if not caught_up else REST_S if self._snapshot.life is Life.ENDED else TURN_S)
        finally:
            self._unpacked.close()
            self._follower.close()
            self._post_follower.close()
            self._held.close()

    def stop(self) -> None:
        """End ``run`` within a turn."""
        self._stop.set()

    def _look_into_archive(self) -> None:
        """Show the logs out of the archive where the raw ones were taken away, or say where they are."""
        if self.paths.logs.is_dir():
            return
        logs = self._unpacked.look(self.paths, self._say_of_logs)
        if logs is not None:
            self.logs = logs
            self.logs.poll()
            self._logs_seen += 1
            self._say_of_logs("")

    def _say_of_logs(self, sentence: str) -> None:
        self._snapshot = replace(self._snapshot, no_logs=sentence)
        self._tell()

    def _open(self) -> None:
        """Show what metrics.json knows when the journal is missing or long, then begin to fold."""
        try:
            size = self.paths.journal.stat().st_size
        except OSError:
            size = -1
        if size < 0 or size > BIG_JOURNAL_BYTES:
            self._early = _read(self.paths.metrics, Metrics)
        self._fold = self._new_fold()

    def _turn(self) -> bool:
        """Look at everything once and post what changed; False while more of the journal waits to be folded."""
        grown, caught_up = self._read_journal()
        self._dirty |= grown | self._look_at_pulse() | self._look_at_ending() | self._look_at_summary()
        self._dirty |= self._look_at_losses()
        if self.logs.poll():
            self._logs_seen += 1
            self._dirty = True
        elapsed = time.monotonic() - self._posted_at
        if elapsed >= POST_S and (self._dirty or (elapsed >= 1.0 and self._snapshot.life in TICKING)):
            self._tell()
        return caught_up

    def _read_journal(self) -> tuple[bool, bool]:
        """Fold what was appended, for one slice; return whether there was anything, and whether that was all."""
        assert self._fold is not None
        deadline = time.monotonic() + SLICE_S
        grown = False
        while lines := self._follower.read():
            if self._follower.restarted:
                self._follower.restarted = False
                self._fold = self._new_fold()
            grown = True
            offset = self._follower.offset - sum(len(line) + 1 for line in lines)
            for line in lines:
                offset += len(line) + 1
                self._fold.feed_line(line, offset)
            if time.monotonic() > deadline:
                break
        else:
            self._read_ratio = 1.0
            return self._read_post() or grown, True
        self._read_ratio = self._folded()
        return grown, False

    def _read_post(self) -> bool:
        """Fold what became known after the end, once the journal is through."""
        assert self._fold is not None
        lines = self._post_follower.read()
        for line in lines:
            event = read_line(line)
            if event is not None:
                self._fold.feed_post(event)
        return bool(lines)

    def _folded(self) -> float:
        try:
            size = self.paths.journal.stat().st_size
        except OSError:
            return 1.0
        return min(1.0, self._follower.offset / size) if size else 1.0

    def _look_at_pulse(self) -> bool:
        now = time.monotonic()
        if now - self._pulse_at < PULSE_S:
            return False
        self._pulse_at = now
        if self._held.where() != self.paths.root:
            self._go_along()
        held = holders(self.paths.lock)
        if Role.RECORDER in held:
            self._seen_recorder = now
        young = now - self._began < GRACE_S and self._is_new()
        pulse = Pulse(
            owner=not held.keys().isdisjoint({Role.OWNER, Role.STARTER}) or young,
            recorder=Role.RECORDER in held or young or (bool(held) and now - self._seen_recorder < GRACE_S),
            finalizer=Role.FINALIZER in held,
            heartbeat_age_s=heartbeat_age_s(self.paths.lock) if Role.RECORDER in held else None,
            gone=not os.path.lexists(self.paths.root),
        )
        old, self._pulse = self._pulse, pulse
        return replace(old, heartbeat_age_s=None) != replace(pulse, heartbeat_age_s=None)

    def _go_along(self) -> None:
        """Read on where the run lies now: its folder, or one above it, was renamed or moved."""
        self.paths.root = self._held.where()
        self._follower.path, self._post_follower.path = self.paths.journal, self.paths.post
        self.logs = RunLogs(self.paths.root)
        self.logs.poll()
        self._logs_seen += 1
        self._dirty = True

    def _is_new(self) -> bool:
        """Whether the run directory was made moments ago, so that its processes may still be starting."""
        try:
            return time.time() - self.paths.journal.stat().st_mtime < GRACE_S
        except OSError:
            return False

    def _look_at_ending(self) -> bool:
        if not self._renewed(self.paths.finalize_state):
            return False
        ending = _read(self.paths.finalize_state, Ending) or Ending()
        self._snapshot = replace(self._snapshot, ending=ending)
        return True

    def _look_at_losses(self) -> bool:
        """Read what could not be recorded: while the disk is full, no event can tell of it."""
        if not self._renewed(self.paths.losses):
            return False
        former, self._losses = self._losses, [loss.event() for loss in read_losses(self.paths.losses)]
        return self._losses != former

    def _look_at_summary(self) -> bool:
        """Read the summary once the run has ended; it is written again when the archive is known."""
        if self._snapshot.life in LIVE or not self._renewed(self.paths.summary_text):
            return False
        try:
            with open(open_regular(self.paths.summary_text), "rb") as file:
                text = file.read(SUMMARY_BYTES).decode("utf-8", "replace")
        except OSError:
            return False
        self._snapshot = replace(self._snapshot, summary=text)
        return True

    def _renewed(self, path: Path) -> bool:
        try:
            found = os.stat(path)
        except OSError:
            stamp = None
        else:
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._stamps.get(path) == stamp:
            return False
        self._stamps[path] = stamp
        return True

    def _tell(self) -> None:
        metrics = self._metrics()
        life = judge(metrics, self._snapshot.ending, self._pulse)
        self._snapshot = replace(
            self._snapshot,
            metrics=metrics,
            life=life,
            stalled_s=self._pulse.heartbeat_age_s if life is Life.STALLED else None,
            read_ratio=self._read_ratio,
            logs=self._logs_seen,
        )
        self._dirty = False
        self._posted_at = time.monotonic()
        self._post(self._snapshot)

    def _metrics(self) -> Metrics:
        assert self._fold is not None
        metrics = overlaid(self._fold.metrics(self._clock()), self._fold.losses, self._losses)
        if self._early is not None and (self._read_ratio < 1.0 or not metrics.journal.events):
            return self._early
        if metrics.run.status is None and not self._pulse.held and metrics.journal.last_time:
            # Nobody records it any more: its clock stands at the last thing that is known.
            return self._fold.metrics(metrics.journal.last_time)
        return metrics


def _read(path: Path, shape: type[_T]) -> _T | None:
    """Return a JSON file as a structure; None when it is missing or is none."""
    try:
        return msgspec.json.decode(read_regular(path), type=shape)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
