"""The guardian of a program that records itself: keeps a recorder beside it, and has the run finalized when it is gone.

Must stay tiny and asleep while the program lives. Started by the SDK as
``python -P -m runwatch.record.guardian RUN_DIR PID [LOCK_FD]``; its standard input carries the goodbye, one JSON line,
and as long as it lives that descriptor says that the run does, whatever the program does to its own lock.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from runwatch.finalize.state import FinalizeState, Outcome, load_state, save_state
from runwatch.journal.held import HeldDirectory
from runwatch.journal.lock import RunLock
from runwatch.journal.losses import Loss
from runwatch.journal.paths import RunPaths
from runwatch.journal.writer import EventWriter, now_text
from runwatch.record import farewell, limits
from runwatch.record.keeper import Keeper
from runwatch.record.outcome import owner_lost

SILENT_END = "the program ended without saying goodbye"


class Goodbye(msgspec.Struct, kw_only=True):
    """What the program says when it ends."""

    op: str = "end"
    """Always ``end``."""
    status: str = "completed"
    """Its final status."""
    reason: str | None = None
    """One line for people."""
    exit_code: int | None = None
    """The code that it is about to exit with, where it knows."""
    signal: str | None = None
    """The signal that it is about to die by, where it knows."""
    lost: Loss | None = None
    """What it could neither record nor tell of."""


class Guardian:
    """Watches over one program."""

    def __init__(self, run_dir: Path, pid: int, lock_fd: int = -1) -> None:
        self.held = HeldDirectory(run_dir, file_fd=lock_fd)
        self.paths, self.pid = RunPaths(self.held.path), pid
        if lock_fd >= 0:
            RunLock.adopt(self.paths.lock, lock_fd)
        self.journal = EventWriter(self.paths)
        arguments = ["--owner", str(os.getpid()), "--command", str(pid), "--alone"]
        self.keeper = Keeper(self.held, arguments, self._recorder_died)
        self.goodbye = b""
        self.wake, self.wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        """SIGCHLD of the recorder, as something that can be waited for."""

    def run(self) -> None:
        """Sleep until the program has said goodbye or is gone, then have the run finalized."""
        signal.set_wakeup_fd(self.wakeup)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        try:
            program = os.pidfd_open(self.pid)
        except ProcessLookupError:  # it was gone before we came
            self._end(self._last_word())
        self.keeper.start()
        poll = select.poll()
        for fd in (0, self.wake, program):
            poll.register(fd, select.POLLIN)
        outcome = None
        while outcome is None:
            for fd, _ in poll.poll():
                if fd == self.wake:
                    os.read(self.wake, 64)
                    self.keeper.reap()
                elif fd == 0 and not self._hear():
                    # A forked child may hold the pipe open, and the program may close it: its death is what counts.
                    if not self._keep_open():
                        poll.unregister(0)
                elif fd == program:
                    outcome = self._last_word()
            outcome = outcome or self._said()
        self._end(outcome)

    def _keep_open(self) -> bool:
        """Hold the pipe's other end: a program that closed what it does not know opens it again to say goodbye."""
        try:
            os.open("/proc/self/fd/0", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        return True

    def _last_word(self) -> Outcome:
        """The outcome of a program that is gone: what it said is in the pipe, if it said anything."""
        while select.select([0], [], [], 0)[0] and self._hear():
            pass
        return self._said() or owner_lost(now_text(), SILENT_END)

    def _hear(self) -> bool:
        """Read what the program says; False when it will say no more."""
        data = os.read(0, 65536)
        self.goodbye += data
        return bool(data)

    def _said(self) -> Outcome | None:
        """The outcome that the program named, once its whole line is here."""
        if not self.goodbye.endswith(b"\n"):
            return None
        try:
            word = msgspec.json.decode(self.goodbye.splitlines()[-1], type=Goodbye)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if word.lost is not None:
            self.journal.tell_loss(word.lost)
        return Outcome(
            status=word.status, exit_code=word.exit_code, signal=word.signal, reason=word.reason, ended=now_text()
        )

    def _recorder_died(self, reason: str) -> None:
        self.journal.emit("recorder.replaced", reason=reason)

    def _end(self, outcome: Outcome) -> NoReturn:
        paths = RunPaths(self.held.where())
        state = load_state(paths.finalize_state)
        if state.outcome is None:
            try:
                save_state(paths.finalize_state, FinalizeState(outcome=outcome))
            except OSError as error:
                farewell.say(f"the run's status cannot be written ({error.strerror}).")
        self.keeper.tell_end(outcome)
        while self.keeper.pid is not None:
            if select.select([self.wake], [], [], 1.0)[0]:
                os.read(self.wake, 64)
            self.keeper.reap()
        sys.exit(self.keeper.exit_code or 0)


def main() -> None:
    """Guard the program that the SDK names."""
    limits.raise_files()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # whoever stops the program's whole group must not stop its finalizing
    Guardian(Path(sys.argv[1]), *map(int, sys.argv[2:])).run()


if __name__ == "__main__":
    main()
