"""What becomes known after a run's end: noted in ``post.jsonl``, folded after the journal, published, committed.

Must not touch the journal or the archive, or decide what is true. Source: finalizer.md, "Stages".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runwatch.errors import RecordError, RunBusy
from runwatch.events import Event, build, encode_any
from runwatch.finalize.stages import Finalizer
from runwatch.finalize.state import FinalizeState, load_state
from runwatch.fold import Fold
from runwatch.journal.append import Appender
from runwatch.journal.follow import events
from runwatch.journal.lock import RunLock, is_live
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text
from runwatch.settings import Settings

REPEATED = ("fold", "reports", "summary_final", "commit", "done")
"""The stages that show what became known; the archive stays as it is."""


def check_ended(paths: RunPaths) -> None:
    """Raise RunBusy for a run that goes on, RecordError for one that is not finalized or has no journal here."""
    if is_live(paths.lock):
        raise RunBusy(
            f"The run {paths.run_id} goes on: its end comes first, `runwatch wait {paths.run_id}` waits for it."
        )
    if not paths.journal.is_file():
        raise RecordError(f"{paths.root} has no journal: only where the run was recorded can it be reconciled.")
    if not load_state(paths.finalize_state).complete:
        raise RecordError(f"The run {paths.run_id} is not finalized: `runwatch finalize {paths.run_id}` comes first.")


def feed(fold: Fold, paths: RunPaths) -> Fold:
    """Fold a run's journal and what became known since; return the fold."""
    for _, event in events(paths.journal):
        if event is not None:
            fold.feed(event)
    for event in known(paths):
        fold.feed_post(event)
    return fold


def known(paths: RunPaths) -> Iterator[Event]:
    """Yield the events of ``post.jsonl``; none where there is no such file."""
    if paths.post.is_file():
        for _, event in events(paths.post):
            if isinstance(event, Event):
                yield event


def publish(run_dir: Path, settings: Settings, facts: Iterable[tuple[str, Mapping[str, Any]]]) -> FinalizeState:
    """Note events, type and fields, and bring all files of the run to agree with them; return what was done.

    One commit is added where the tracked files changed. Killed anywhere, the next finalizer goes on from what was
    noted. Raises RunBusy, RecordError.
    """
    paths = RunPaths(run_dir)
    check_ended(paths)
    _note(paths, facts)
    finalizer = Finalizer(paths, settings)
    try:
        return finalizer.run(first=REPEATED[0], only=REPEATED)
    finally:
        finalizer.close()
        RunLock.of(paths.lock).close()


def _note(paths: RunPaths, facts: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Append the events and make them last. Raises RecordError."""
    journal = Appender(paths.post)
    writer = os.urandom(4).hex()
    try:
        for number, (kind, fields) in enumerate(facts, 1):
            envelope = {"ts": now_text(), "writer": writer, "seq": number, "pid": os.getpid()}
            if not journal.append(encode_any(build(kind, {**envelope, **fields}))):
                raise RecordError(f"{paths.post} cannot be written ({journal.last_error}): make room, then try again.")
        journal.sync()
    finally:
        journal.close()
