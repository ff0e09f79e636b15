"""The archive made while the run goes on: which files can no longer change, and taking them in, piece by piece.

Must not decide at what priority, or finish the archive: `archive` does, and checks all of this again. Source:
finalizer.md, "The archive".
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from runwatch.errors import RecordError
from runwatch.finalize.archive_changes import seems_unchanged
from runwatch.finalize.archive_part import PIECE_BYTES, Part
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.archive_write import ArchiveWriter

SETTLED_S = 3.0
"""A closed step's file is left alone until it was not written to for so long: some writers come a little late."""
OPEN_BYTES = 32 << 20
"""A file that is still written to is begun when it is so long."""
FREE_BYTES = 256 << 20
"""Room that is left to the run: with less, what was made ahead is thrown away."""
SYNC_BYTES = 64 << 20
"""So much is written before the disk is asked to take it, so that the end need not wait."""
_LOOKS = 64
"""Files that are looked at again in one round."""
_STEP = re.compile(r"logs/step_(\d{3,9})/")
_PART_OF_LOG = re.compile(r"(?P<stem>.+?)(?:\.(?P<number>[1-9]\d{0,5}))?\.log\Z")


class Ahead:
    """The part of one run, while it is live. Raises OSError, RecordError; throw it away then."""

    def __init__(self, run_dir: Path) -> None:
        """Take the part, as far as it is good, and lock it."""
        self._root = run_dir
        self._folder = Folder(run_dir)
        self._part = Part(run_dir, run_dir.name)
        self._writer = ArchiveWriter(self._part, self._folder, run_dir.name)
        self._closed: dict[int, None] = {}
        self._opened: set[int] = set()
        self._has_steps = False
        self._there: set[str] = set()
        self._known_pieces = -1
        self._unsynced_from = self._part.end_bytes
        self._looked = 0

    def open_step(self, step: int) -> None:
        """Take it that a step's logs are being written to."""
        self._has_steps = True
        self._opened.add(step)
        self._closed.pop(step, None)

    def close_step(self, step: int) -> None:
        """Take it that nobody writes to a step's logs any more."""
        self._has_steps = True
        self._opened.discard(step)
        self._closed[step] = None

    def work(self) -> bool:
        """Take in about a piece; return whether there is more to do at once."""
        found = os.statvfs(self._root)
        if found.f_bavail * found.f_frsize < FREE_BYTES:
            self._part.drop()
            raise RecordError(f"{self._root} lies on a disk that has no room for an archive made ahead.")
        self._look_back()
        waiting = self._waiting()
        done = self._take_closed(waiting) if waiting else self._take_open()
        if self._part.end_bytes - self._unsynced_from >= SYNC_BYTES:
            self._part.sync()
            self._unsynced_from = self._part.end_bytes
        return done

    def close(self) -> None:
        """Leave the part to the finalizer."""
        self._part.close()

    def _look_back(self) -> None:
        """Look at some files again, in turn, and cut the part where one was changed."""
        pieces = self._part.ledger.pieces
        looked = 0
        while pieces and looked < _LOOKS:
            self._looked = (self._looked + 1) % len(pieces)
            entries = pieces[self._looked].entries
            looked += 1 + len(entries)
            if not all(seems_unchanged(entry, self._folder) for entry in entries):
                self._cut(self._part.ledger.first_of(self._looked))
            if self._looked == len(pieces) - 1:
                return

    def _cut(self, count: int) -> None:
        """Make the pieces from ``count`` on again."""
        for piece in self._part.ledger.pieces[count:]:
            for entry in piece.entries:
                if (found := _STEP.match(entry.member.path)) and int(found[1]) not in self._opened:
                    self._closed[int(found[1])] = None
        self._part.cut(count)
        self._writer.forget_begun()
        self._unsynced_from = min(self._unsynced_from, self._part.end_bytes)

    def _waiting(self) -> dict[str, int]:
        """Return path to length of the files that are not in and can no longer change."""
        waiting: dict[str, int] = {}
        for step in list(self._closed):
            folder = _step_folder(step)
            new = {path: found for path, found in self._new(folder).items() if self._is_begun(path) or not _late(found)}
            waiting |= {path: found.st_size for path, found in new.items()}
            if len(new) == 0 and not self._new(folder):
                del self._closed[step]  # looked at again only where one of its files changes
        for folder in ("logs", *map(_step_folder, sorted(self._opened))):
            for path, found in self._new(folder, rotated=True).items():
                if self._is_begun(path) or not _late(found):
                    waiting[path] = found.st_size
        return waiting

    def _is_begun(self, path: str) -> bool:
        begun = self._part.ledger.going_on
        return begun is not None and begun.member.path == path

    def _new(self, folder: str, *, rotated: bool = False) -> dict[str, os.stat_result]:
        """Return path to state of the files in a folder that are not in; ``rotated``: that went on in another."""
        if self._known_pieces != len(self._part.ledger.pieces):
            self._known_pieces = len(self._part.ledger.pieces)
            self._there = {entry.member.path for entry in self._part.ledger.entries()}
        files = self._files(folder)
        return {
            f"{folder}/{name}": found
            for name, found in files.items()
            if f"{folder}/{name}" not in self._there and (not rotated or _goes_on_elsewhere(name, files))
        }

    def _files(self, folder: str) -> dict[str, os.stat_result]:
        try:
            names = sorted(name for name, kind in self._folder.entries(folder) if kind == "file")
        except OSError:
            return {}
        found = {name: self._folder.stat(f"{folder}/{name}") for name in names}
        return {name: stat for name, stat in found.items() if stat is not None}

    def _take_closed(self, waiting: dict[str, int]) -> bool:
        """Add closed files, up to a piece of them; a begun one comes first."""
        begun = self._part.ledger.going_on
        if begun is not None:
            if begun.member.path not in waiting:
                if sum(waiting.values()) < begun.done_bytes:
                    return self._take_open()
                self._cut(self._part.ledger.first_of(len(self._part.ledger.pieces) - 1))
            elif not self._writer.finish_begun():
                self._cut(self._part.ledger.first_of(len(self._part.ledger.pieces) - 1))
            else:
                self._writer.flush()
            return True
        taken = 0
        for path, size in waiting.items():
            self._writer.add(path)
            taken += size
            if taken >= PIECE_BYTES:
                break
        self._writer.flush()
        return len(waiting) > 1

    def _take_open(self) -> bool:
        """Go on with the begun file, or begin the longest one where it pays."""
        begun = self._part.ledger.going_on
        if begun is not None:
            found = self._folder.stat(begun.member.path)
            if found is None or found.st_ino != begun.source.inode or found.st_size < begun.done_bytes:
                self._cut(self._part.ledger.first_of(len(self._part.ledger.pieces) - 1))
                return True
        else:
            candidates = {path: size for path, size in self._open_files().items() if size >= OPEN_BYTES}
            if not candidates or not self._writer.begin_open(max(candidates, key=candidates.__getitem__)):
                return False
        return self._writer.go_on()

    def _open_files(self) -> dict[str, int]:
        """Return path to length of what is still written to: of the open steps, or, in a run without, outside them.

        What lies outside the steps of a run with steps is open to its end, and would keep them waiting.
        """
        found: dict[str, int] = {}
        if not self._has_steps:
            journal = self._folder.stat("events.jsonl")
            found["events.jsonl"] = journal.st_size if journal else 0
        for folder in map(_step_folder, sorted(self._opened)) if self._has_steps else ("logs",):
            found |= {path: state.st_size for path, state in self._new(folder).items()}
        return found


def _step_folder(step: int) -> str:
    return f"logs/step_{step:03d}"


def _goes_on_elsewhere(name: str, names: dict[str, os.stat_result]) -> bool:
    """Whether a log has reached its length and goes on in the next file."""
    match = _PART_OF_LOG.match(name)
    return match is not None and f"{match['stem']}.{int(match['number'] or 0) + 1}.log" in names


def _late(found: os.stat_result) -> bool:
    """Whether a file was written to so lately that somebody may still do so."""
    return abs(time.time() - found.st_mtime) < SETTLED_S
