"""What its journal tells the finalizer of one run: everything folded and projected, and how the run ended by it.

Must not write an event, or decide which stages are done.
"""

from __future__ import annotations

from runwatch.events.measures import ResourceSample
from runwatch.finalize import close
from runwatch.finalize.project import Projector
from runwatch.finalize.state import Outcome
from runwatch.finalize.whereabouts import how_lost
from runwatch.fold import Fold
from runwatch.fold.metrics import Metrics
from runwatch.journal.follow import Follower, read_line
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import now_text


class Account:
    """The journal as far as it was read, and behind it what became known after the end."""

    def __init__(self, paths: RunPaths, fold: Fold, follower: Follower, projector: Projector) -> None:
        self.fold, self.projector = fold, projector
        self._paths, self._follower, self._post = paths, follower, Follower(paths.post)
        self._metrics: Metrics | None = None
        self.known_secrets = 0
        """How many the run remembered, as far as was read."""

    def close(self) -> None:
        """Give descriptors back."""
        self._follower.close()
        self._post.close()
        self.projector.close()

    def catch_up(self) -> None:
        """Fold what was appended since."""
        self._metrics = None
        while lines := self._follower.read():
            position = self._follower.offset - sum(len(line) + 1 for line in lines)
            for line in lines:
                position += len(line) + 1
                self.fold.feed_line(line, position)
                event = self.projector.take(line, position)
                if isinstance(event, ResourceSample) and event.known_secrets:
                    self.known_secrets = max(self.known_secrets, event.known_secrets)
        if self.fold.sealed:
            self._fold_post()

    def _fold_post(self) -> None:
        """Fold what became known after the end."""
        while lines := self._post.read():
            for line in lines:
                if (event := read_line(line)) is not None:
                    self.fold.feed_post(event)

    def lost(self) -> Outcome:
        """Return the outcome of a run whose owners are all gone: it ended with its last event."""
        self.catch_up()
        metrics = self.fold.metrics(now_text())
        run, last = metrics.run, metrics.journal.last_time or now_text()
        if self.fold.sealed and run.status:  # the disk was full, or finalize.json was lost: the seal knows
            ended = run.end_time or last
            return Outcome(
                status=run.status, exit_code=run.exit_code, signal=run.signal, reason=run.reason, ended=ended
            )
        return Outcome(status="crashed", reason=how_lost(self._paths), ended=last)

    def outcome(self, noted: Outcome) -> Outcome:
        """Return how the run ended; a program that joined has the last word where its command ended well."""
        if noted.status == "interrupted":
            return close.with_limit(self.fold.metrics(now_text()), noted)
        proposed = self.fold.metrics(now_text()).run.proposed_status if noted.status == "completed" else None
        if proposed and proposed != noted.status:
            return Outcome(
                status=proposed, exit_code=noted.exit_code, reason=noted.reason, ended=noted.ended, own=noted.own
            )
        return noted

    def metrics(self, noted: Outcome) -> Metrics:
        """Return the fold of the whole journal, as of the end; the same object until there is more of it."""
        if self._metrics is None:
            now = self.fold.metrics(now_text())
            self._metrics = close.as_ended(self.fold, now, self.outcome(noted), self._paths)
        return self._metrics
