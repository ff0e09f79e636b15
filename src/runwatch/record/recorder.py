"""The recorder: reads a run while it goes on, folds it, samples, leaves its projections, and has it finalized.

Must not hold any byte of the command's output: its death loses nothing. Started by the keeper as
``python -P -m runwatch.record.recorder RUN_DIR --owner PID``; its standard input says what the owner learns later.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
import types
from pathlib import Path

import msgspec

from runwatch.errors import RunwatchError
from runwatch.finalize.project import Projector
from runwatch.finalize.publish import Publisher
from runwatch.finalize.state import FinalizeState, Outcome, load_state, save_state
from runwatch.fold import Fold
from runwatch.journal.follow import Follower
from runwatch.journal.held import HeldDirectory
from runwatch.journal.lock import HEARTBEAT_S, Role, RunLock
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter, now_text
from runwatch.record import ending, farewell, limits, recorder_options
from runwatch.record.ahead import AheadHelper
from runwatch.record.beginning import Beginning
from runwatch.record.durable import Durability
from runwatch.record.flush import Flusher
from runwatch.record.folding import load_settings
from runwatch.record.following import begin_again, repository_id, settings_there
from runwatch.record.outcome import owner_lost
from runwatch.record.owner import Owner
from runwatch.record.pricing import PriceNoter
from runwatch.record.sampling import Sampler
from runwatch.record.stopping import ASKING
from runwatch.record.sweep import Neighbors
from runwatch.record.talk import Talk
from runwatch.record.telling import LossTeller
from runwatch.record.watching import Watch
from runwatch.settings import Settings

TICK_S = 0.2
"""How often the journal is looked at while nothing happens."""
BUSY_TICK_S = 0.02
"""And for a while after an event: its line should come soon after those that a program wrote itself."""
BUSY_FOR_S = 1.0
_UNLOGGED = (b'{"type":"resource.sample"', b'{"type":"metric.observed"')
"""They leave no line: else our own samples, one a second, would keep the recorder busy for ever."""
NEIGHBORS_S = 2.0
"""How long the end of a run may wait until it is known whether others need to be recovered."""
LOCK_WAIT_S = 5.0
"""How long a new recorder waits for the lock of one that is just dying."""


class Recorder:
    """One run, read live. All happens in one thread, one tick after the other."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.held = HeldDirectory(options.run_dir, fd=options.held)
        self.paths = RunPaths(self.held.where())
        self.options = options
        self.settings: Settings = load_settings()
        self.lock = RunLock.of(self.paths.lock)
        self.writer = EventWriter(self.paths)
        self.beginning = Beginning(self.paths, self.writer)
        self.follower = Follower(self.paths.journal)
        options.repository = options.repository or repository_id(self.paths)
        self.publisher = Publisher(self.paths, self.settings)
        self.publisher.secrets.note_own()
        self.publisher.secrets.look_around()
        self.fold: Fold = self.publisher.new_fold()
        self.talk = Talk(enabled=options.talk)
        self.projector = Projector(self.paths, self.settings.capture.max_file_bytes)
        self.flusher = Flusher(self.publisher)
        self.teller = LossTeller(self.paths, self.writer)
        self.pricing = PriceNoter(self.paths, self.writer)
        self.ahead = AheadHelper(self.paths)
        self.sampler = Sampler(self.paths, self.writer, self.settings, options.command, self.publisher.secrets)
        self.durability = Durability(self.paths)
        program = options.command if options.alone else None
        self.watch = Watch(
            self.paths, self.settings, self.writer, self.talk.line, program=program, known_bytes=self.projector.position
        )
        self.asked: str | None = None
        """Name of a polite signal that asked for the run's end."""
        self.neighbors = Neighbors(self.paths, self.talk.line)
        self._last_event = self._last_beat = float("-inf")
        self._owner = Owner(options.owner, parent=True)
        self._heard = f"end {options.end}\n".encode() if options.end else b""
        self._printed = 0

    def run(self) -> int:
        """Record until the run has ended, then finalize it; return the exit code."""
        if not self.lock.acquire(Role.RECORDER, LOCK_WAIT_S):
            return 0  # another recorder is at work
        if self.options.command:
            self.neighbors.start()
        poll = select.poll()
        poll.register(0, select.POLLIN)
        if self._owner.fd is not None:
            poll.register(self._owner.fd, select.POLLIN)
        while True:
            busy = time.monotonic() - self._last_event < BUSY_FOR_S
            ready = {fd for fd, _ in poll.poll((BUSY_TICK_S if busy else TICK_S) * 1000)}
            if 0 in ready and not self._hear():
                poll.unregister(0)
            told = self._told()
            if told is not None:  # before anything is sampled: it would be told as of now, behind the end
                return self._finalize(load_state(self.paths.finalize_state).outcome or told)
            self._tick()
            if self.asked:
                if not self.options.alone:  # a program that records itself gets signals of its own
                    ending.ask(self.paths, self.asked, self._owner.pid)
                self.asked = None
            if self._owner.is_gone(ready):
                if self.options.alone and self._outlive_guardian(poll):
                    continue
                self._follow()
                return self._finalize(self._owner_died())

    def _hear(self) -> bool:
        """Read what the owner says; False when it will say no more."""
        data = os.read(0, 65536)
        self._heard += data
        return bool(data)

    def _told(self) -> Outcome | None:
        """Take in the whole lines that were heard; return the outcome of the run once it was named."""
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"end":
                return msgspec.json.decode(rest, type=Outcome)
            if word == b"command":
                self.options.command = int(rest)
                self.sampler.watch(self.options.command)
                self.neighbors.start()
        return None

    def _outlive_guardian(self, poll: select.poll) -> bool:
        """Watch the program itself from now on, since its guardian is gone; False when the program is gone too."""
        if self._owner.pid == self.options.command:
            return False
        if self._owner.fd is not None:
            poll.unregister(self._owner.fd)
        self._owner.close()
        self._owner = Owner(self.options.command, parent=False)
        if self._owner.fd is not None:
            poll.register(self._owner.fd, select.POLLIN)
        return not self._owner.is_gone(set())

    def _follow(self, told: Outcome | None = None) -> None:
        """Begin again where the run lies now, if somebody renamed or moved it; ``told``: how it ended."""
        if self.held.where() == self.paths.root:
            return
        self.ahead.stop()
        self.options.said = self.follower.offset
        begin_again(self.held, self.options, told)
        self.paths.root = self.held.where()  # it cannot be: what was opened is good, and what follows goes there

    def _tick(self) -> None:
        """Fold what is new, project it, sample, and flush when it is time."""
        self._read()
        if not self.fold.sealed:  # else somebody finalizes, and has the last word in every file
            self.sampler.poll(time.monotonic())
            self.teller.poll(time.monotonic(), self.fold)
            if self.flusher.due(time.monotonic(), self.follower.offset):
                self._flush()
            self.ahead.poll(time.monotonic())
            if self.watch.due(time.monotonic()):
                self.watch.poll(self.fold.metrics(now_text()), time.monotonic())
        else:
            self.ahead.stop()
        self._note_output()
        if time.monotonic() - self._last_beat >= HEARTBEAT_S:
            self._last_beat = time.monotonic()
            self.lock.beat()
            self._follow()

    def _flush(self) -> None:
        """Flush, unless somebody finalizes: what is known now must not replace what was known at the end."""
        if not self.lock.acquire(Role.WRITER):
            return
        try:
            self._read()
            if not self.fold.sealed:
                self.flusher.flush(time.monotonic(), self.fold, self.follower.offset)
        finally:
            self.lock.release(Role.WRITER)

    def _note_output(self) -> None:
        """Have new output of the command made durable: its index grows with it."""
        try:
            size = self.paths.output_index.stat().st_size
        except OSError:
            return  # a program that records itself has none
        if size != self._printed:
            self._printed = size
            self.durability.note_output()
            self.watch.active()

    def _read(self) -> None:
        while lines := self._lines():
            if not all(line.startswith(_UNLOGGED) for line in lines):
                self._last_event = time.monotonic()
            self.durability.note(lines)
            if not self.beginning.take(lines):
                self.projector.begin_anew()
            position = self.follower.offset - sum(len(line) + 1 for line in lines)
            for line in lines:
                position += len(line) + 1
                if self.writer.mark not in line:
                    self.watch.active()
                self.fold.feed_line(line, position)
                event = self.projector.take(line, position)
                if event is not None:
                    self.talk.event(event)
                    self.ahead.take(event)
                    self.watch.take(event, position)
                if position == self.options.said:
                    self.talk.pass_over(self.fold.metrics(now_text()))
            self.pricing.poll(self.fold, position)
        self.beginning.caught_up()
        if self.talk.due:
            self.talk.update(self.fold.metrics(now_text()))

    def _lines(self) -> list[bytes]:
        lines = self.follower.read()
        if self.follower.restarted:
            self.follower.restarted = False
            self.fold = self.publisher.new_fold()
            self.beginning.restarted()
        return lines

    def _owner_died(self) -> Outcome:
        """End the command as a closed terminal would, and say what can be known of it."""
        state = load_state(self.paths.finalize_state)
        if state.outcome is not None:
            return state.outcome
        if not self.options.alone:
            ending.end_command(self.options.command, self.options.began, self.settings)
        what = "the program ended without saying goodbye" if self.options.alone else "the supervisor was killed"
        outcome = owner_lost(now_text(), what)
        try:
            save_state(self.paths.finalize_state, FinalizeState(outcome=outcome))
        except OSError as error:
            self.talk.line(f"runwatch: the run's status cannot be written ({error.strerror}).")
        return outcome

    def _finalize(self, outcome: Outcome) -> int:
        for number in ASKING:
            signal.signal(number, signal.SIG_IGN)  # nothing interrupts the finalizer
        self._follow(outcome)
        self._read()
        self.beginning.restore()
        self._read()
        if not self.fold.sealed:
            self.sampler.last(outcome.ended)
            if not self.options.alone:
                ending.settle_left(self.options.began, self.settings, self.writer)
            metrics = self.fold.metrics(now_text())
            self.watch.at_the_end(metrics, outcome)
            self._read()
        self.durability.close()
        ahead = self.ahead.stop()
        settings = settings_there(self.settings, self.options, self.paths, self.talk.line)
        try:
            state = ending.finalize(
                self.paths,
                settings,
                self.fold,
                self.follower,
                outcome,
                self.projector,
                self.talk,
                secrets=self.publisher.secrets,
                ahead=ahead,
            )
        except RunwatchError as error:
            self._follow(outcome)
            if self.options.alone or not farewell.is_gone(self.paths):  # the supervisor says that
                self.talk.line(f"runwatch: {error.sentence}")
            return error.exit_code
        if not state.complete:
            self._follow(outcome)
        self.watch.close()
        self.neighbors.start()  # where no command could be
        self.neighbors.settle(NEIGHBORS_S)
        return 0 if state.complete else 1


def _in_a_line(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
    """Say what ended this process as the user's stderr can bear it; the supervisor starts another."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""
    farewell.say(f"the recorder ended: {kind.__name__}: {error}{where}")


def main() -> int:
    """Parse the keeper's arguments and record."""
    limits.raise_files()
    options = recorder_options.parse()
    try:
        recorder = Recorder(options)
    except OSError:
        if farewell.is_gone(RunPaths(options.run_dir)):
            return 1  # the supervisor says so
        raise

    def ask(number: int, frame: object) -> None:
        recorder.asked = signal.Signals(number).name

    for number in ASKING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup: what was ignored stays so
            signal.signal(number, ask)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
    return recorder.run()


if __name__ == "__main__":
    sys.excepthook = _in_a_line
    sys.exit(main())
