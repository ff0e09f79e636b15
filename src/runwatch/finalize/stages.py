"""The finalizer: every stage in order, each recorded, each repeatable.

Must not show anything: it tells a callback. Source: finalizer.md, "Stages".
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from runwatch.errors import RecordError, RunBusy, RunwatchError
from runwatch.finalize import archiving, close, commit, ignore, missing, raw_logs, refusal
from runwatch.finalize.account import Account
from runwatch.finalize.archive import forget
from runwatch.finalize.archived_journal import check_journal
from runwatch.finalize.commit_push import push
from runwatch.finalize.commit_stage import commit_files, is_taken_back, must_push
from runwatch.finalize.condition import check_place
from runwatch.finalize.confidential import Confidential
from runwatch.finalize.lasting import make_lasting
from runwatch.finalize.project import Projector
from runwatch.finalize.publish import Publisher
from runwatch.finalize.state import STAGES, FinalizeState, Outcome, Stage, load_state, save_state
from runwatch.finalize.tidy import tidy
from runwatch.fold import Fold
from runwatch.fold.metrics import Metrics
from runwatch.journal import reserve
from runwatch.journal.follow import Follower
from runwatch.journal.lock import Role, RunLock
from runwatch.journal.losses import forget_losses
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.journal.writer import EventWriter, now_text
from runwatch.settings import Settings

NEEDS = {
    "archive": ("seal",),
    "verify": ("archive",),
    "commit": ("seal", "status", "fold", "summary", "summary_final"),
    "done": ("seal", "status", "fold"),
}
"""Stage to those that must not have failed: an archive without the seal, or a commit of old files, would be wrong."""
LOCK_WAIT_S = 30.0
"""How long a second finalizer waits for the first."""

OnStage = Callable[[str, float], None]
"""Told the stage at work and how much of it is done, 0 to 1."""


class Finalizer:
    """One pass over the stages of one run."""

    def __init__(
        self,
        paths: RunPaths,
        settings: Settings,
        *,
        outcome: Outcome | None = None,
        fold: Fold | None = None,
        follower: Follower | None = None,
        environ: Mapping[str, str] = os.environ,
        projector: Projector | None = None,
        on_stage: OnStage | None = None,
        is_handed_over: bool = False,
        secrets: Confidential | None = None,
    ) -> None:
        """``fold`` and ``follower`` go on where a recorder stopped; without them the journal is read from its start.

        ``is_handed_over``: what was archived ahead comes from a process of this recorder, and was read again by it.
        ``secrets``: what a recorder knows of them.
        """
        self.paths, self.settings = paths, settings
        self.publisher = Publisher(paths, settings, environ, secrets)
        self.fold = fold if fold is not None else self.publisher.new_fold()
        self.on_stage, self.is_handed_over = on_stage, is_handed_over
        follower = follower if follower is not None else Follower(paths.journal)
        projector = projector if projector is not None else Projector(paths, settings.capture.max_file_bytes)
        self._account = Account(paths, self.fold, follower, projector)
        self.state = load_state(paths.finalize_state)
        if self.state.outcome is None:
            self.state.outcome = outcome
        self._first: str | None = None
        self._short: str | None = None
        """The first stage that failed for a shortage of any kind."""

    def run(
        self, *, first: str | None = None, last: str | None = None, only: Collection[str] = STAGES
    ) -> FinalizeState:
        """Do every stage that is not done yet, and all from ``first`` on; return the state. Raises RunBusy.

        Nothing is done after ``last``: those who only look leave the commit to others. Stages that are not among
        ``only`` stay as they are; killed among those, the next finalizer does what was left.
        """
        self._first = first
        check_place(self.paths)
        lock = RunLock.of(self.paths.lock)
        if not lock.acquire(Role.FINALIZER, LOCK_WAIT_S):
            raise RunBusy(
                f"Another process is finalizing {self.paths.run_id}: `runwatch wait {self.paths.run_id}` waits for it."
            )
        # A recorder that is not this process may be flushing: what it knows must not come after what is written here.
        lock.acquire(Role.WRITER, LOCK_WAIT_S)
        try:
            check_journal(self.paths, load_state(self.paths.finalize_state).archive)
            with contextlib.suppress(OSError):  # a read-only disk: nothing can be left over that matters
                tidy(self.paths, owned=lock.probe(Role.OWNER) is not None)
            self.state = self._merged(load_state(self.paths.finalize_state))
            self._keep_outcome()
            self.publisher.secrets.look_around()
            self.publisher.secrets.look_at_processes()
            away = missing.away(self.paths, self.state, self.settings.commit.mode)
            if only is STAGES and last is None and archiving.is_lost(self.paths, self.state):
                first = min(first or "archive", "archive", key=STAGES.index)
            if only is STAGES and last is None and self._is_taken_back(away):
                first = min(first or "commit", "commit", key=STAGES.index)
            repeated = only if only is not STAGES else STAGES[STAGES.index(first) :] if first in STAGES else ()
            if repeated:  # on disk too: killed on the way, the next finalizer does what was left
                self.state.stages = {key: value for key, value in self.state.stages.items() if key not in repeated}
                self._save()
            self._account.catch_up()
            self.publisher.secrets.expect(self._account.known_secrets)
            if only is STAGES and last is None:
                for name in missing.stages_to_repeat(self.paths, self.state, self.settings.commit.mode):
                    self._do(name)  # the same bytes again, so that the commit stays
            again = False
            for name in only:
                again = again or name == first
                if again or not self.state.done(name):
                    again = True
                    self._do(name)
                if name == "commit" and last is None and must_push(self.settings.commit, self.state, again=again):
                    self._do("push")
                if name == last:
                    break
            missing.take_away(away, self.paths, self.state)
        finally:
            lock.release(Role.WRITER)
            lock.release(Role.FINALIZER)
        return self.state

    def _is_taken_back(self, away: list[Path]) -> bool:
        """Whether there is a commit to be made once more; not while its files are ``away`` with another branch."""
        is_wanted = self.settings.commit.mode != "off" and self.state.done("commit") and not away
        return is_wanted and is_taken_back(self.paths, self.state.commit)

    def close(self) -> None:
        """Give descriptors back: a program may record, and finalize, run after run."""
        self._account.close()
        self.publisher.close()

    def _merged(self, on_disk: FinalizeState) -> FinalizeState:
        """Take the state as another finalizer left it while we waited; the outcome is written once."""
        if on_disk.outcome is None:
            on_disk.outcome = self.state.outcome or self._account.lost()
        return on_disk

    def _keep_outcome(self) -> None:
        """Have the final status on disk before anything else, on a full one in the reserve; its rest is free then."""
        self._save()
        reserve.release(self.paths)

    def _save(self) -> None:
        try:
            save_state(self.paths.finalize_state, self.state)
        except OSError:
            pass  # a full disk: the stage is repeated by the next finalizer, which finds its result

    def _do(self, name: str) -> None:
        if self.on_stage:
            self.on_stage(name, 0.0)
        stage = Stage(done=True, at=now_text())
        self.state.stages.pop(name, None)  # why it failed before is no news in what it writes now
        try:
            self._check_needs(name)
            getattr(self, f"_stage_{name}")()
        except (RunwatchError, OSError, RuntimeError, MemoryError) as error:
            if refusal.is_shortage(error):
                self._short = self._short or name
            reason = refusal.sentence(error, self.paths.root)
            stage = Stage(at=now_text(), error=reason, remedy=f"runwatch finalize {self.paths.run_id}")
        except Exception as error:  # noqa: BLE001 - a mistake of ours in one stage must not cost a run the later ones
            reason = refusal.sentence(error, self.paths.root)
            stage = Stage(at=now_text(), error=reason, remedy=f"runwatch finalize {self.paths.run_id}")
        self.state.stages = {key: value for key, value in self.state.stages.items() if key != name} | {name: stage}
        self._save()
        if self.on_stage:
            self.on_stage(name, 1.0)

    def _check_needs(self, name: str) -> None:
        """Raise RecordError, with the reason of what failed before, where a stage would only spoil something.

        A commit waits for all that failed for a shortage, else there would be two; ``done`` too, so that the run is
        known not to be finalized.
        """
        also = self._short if name in ("commit", "done") else None
        for before in (*NEEDS.get(name, ()), also or ""):
            failed = self.state.stages.get(before)
            if failed is not None and not failed.done:
                raise RecordError(failed.error or f"{before} failed")

    @property
    def outcome(self) -> Outcome:
        """How the run ended, as far as is known."""
        assert self.state.outcome is not None
        return self._account.outcome(self.state.outcome)

    @property
    def metrics(self) -> Metrics:
        """The fold of the whole journal."""
        assert self.state.outcome is not None
        return self._account.metrics(self.state.outcome)

    # ---- the stages; each can be repeated ----

    def _stage_close(self) -> None:
        if not self.fold.sealed:
            self._append(self._close_steps)

    def _close_steps(self, writer: EventWriter) -> None:
        close.name_run(self.metrics, self.outcome, self.paths, writer)
        close.close_steps(self.metrics, self.outcome, writer)

    def _stage_price(self) -> None:
        if not self.fold.sealed:
            self._append(lambda writer: close.note_prices(self.fold, writer))

    def _stage_seal(self) -> None:
        """Close the journal to its writers, end what they began since the stages before, and seal it."""
        if not self.fold.sealed:
            close.shut(self.paths)
            self._account.catch_up()
            self._append(self._end_journal)
        forget_losses(self.paths.losses)  # the journal tells of them

    def _end_journal(self, writer: EventWriter) -> None:
        close.close_steps(self.metrics, self.outcome, writer)
        close.note_prices(self.fold, writer)
        close.tell_slow_patterns(self.publisher.slow_patterns(self.metrics), self.metrics, writer)
        if self.publisher.secrets.is_lost:
            close.tell_lost_secrets(self.metrics, writer)
        close.tell_losses(self.fold, self.paths, writer)
        close.seal(self.fold, self.outcome, writer)

    def _append(self, act: Callable[[EventWriter], object]) -> None:
        writer = EventWriter(self.paths, sealing=True)
        try:
            act(writer)
            writer.sync()
        finally:
            writer.close()
        self._account.catch_up()

    def _stage_status(self) -> None:
        self.publisher.metadata(self.metrics, self.state)

    def _stage_fold(self) -> None:
        self.publisher.metrics(self.metrics)

    def _stage_reports(self) -> None:
        self.publisher.reports(self.metrics)
        failed = self._account.projector.catch_up()
        if failed is not None:
            raise failed
        make_lasting((self.paths.issues, self.paths.csv))

    def _stage_summary(self) -> None:
        self.publisher.summaries(self.metrics, self.state, self._failures(before="archive"))

    def _stage_archive(self) -> None:
        stands = archiving.stands(self.paths, self.state.archive)
        if stands and (self._first != "archive" or raw_logs.are_only_archived(self.paths)):
            return  # what is committed names its hash: a repeated stage must not give it another one
        known, self.state.archive = self.state.archive, None
        if known is not None and raw_logs.are_gone(self.paths.root):
            self.state.archive = known
            raise archiving.gone_for_good(self.paths, known)
        if known is not None or "summary_final" in self.state.stages:
            # What is archived says "pending", as it did the first time, so that the same run gives the same archive.
            self._stage_summary()
            self._stage_status()
            if not os.path.lexists(self.paths.metrics):
                self._stage_fold()
        if stands and archiving.is_the_same(self.paths, self.settings.archive):
            self.state.archive = known
            return
        archiving.set_times(self.paths, self.metrics.run.end_time)
        archiving.make(self.paths, self.settings.archive, self._progress, is_handed_over=self.is_handed_over)

    def _stage_verify(self) -> None:
        self.state.archive = archiving.prove(self.paths, self.settings.archive, self.state.archive, self._progress)

    def _progress(self, done: float) -> None:
        if self.on_stage:
            self.on_stage("archive", done)

    def _stage_summary_final(self) -> None:
        failures = self._failures(before="commit")
        self.publisher.summaries(self.metrics, self.state, failures)
        self.publisher.metadata(self.metrics, self.state)

    def _stage_commit(self) -> None:
        files = [self.paths.root / name for name in TRACKED]
        known, message = self.state.commit, self._message()
        self.state.commit = commit_files(self.paths, files, message, self.settings.commit, self.metrics, known)

    def _stage_push(self) -> None:
        """Push; not among STAGES, as it is there only where it is asked for, and a run is whole without it."""
        assert self.state.commit is not None
        push(self.paths.root, self.state.commit.branch)

    def _stage_done(self) -> None:
        # Nobody asks any more, and a supervisor that is killed from now on must not leave its socket in a whole run.
        self.paths.control.unlink(missing_ok=True)
        if self.settings.retention.raw == "after_verify" and self.state.done("verify"):
            raw_logs.take_away(self.paths)
        forget(self.paths.root)
        ignore.lift(self.paths, committed=self.state.commit is not None)

    def _message(self) -> commit.Message:
        metrics = self.publisher.redacted(self.metrics)
        return commit.Message.of(
            metrics,
            framework=self.paths.framework,
            run_id=self.paths.run_id,
            status=metrics.run.status or self.outcome.status,
            archive=self.state.archive,
            redact=str,
            is_later=self.paths.post.is_file(),
        )

    def _failures(self, *, before: str) -> dict[str, Stage]:
        """Return the stages before ``before`` that did not succeed.

        What became of an archive after it was verified is no news for what is committed, which names its hash.
        """
        names = set(STAGES[: STAGES.index(before)])
        if self.state.archive is not None:
            names -= {"archive", "verify"}
        return {name: stage for name, stage in self.state.stages.items() if name in names and not stage.done}


def run(run_dir: Path, settings: Settings, *, first: str | None = None, **options: object) -> FinalizeState:
    """Finalize one run from its directory alone; return what was done. Raises RunBusy."""
    finalizer = Finalizer(RunPaths(run_dir), settings, **options)  # type: ignore[arg-type]  # passed on as they are
    try:
        return finalizer.run(first=first)
    finally:
        finalizer.close()
