"""The supervisor: parent of the command; copies its output, waits for it, keeps a recorder beside it.

Must stay tiny (its imports are pinned by a test), never wait for the recorder while the command runs, and end as the
command did. Started as ``python -P -m runwatch.record.supervisor RUN_DIR CONFIG -- CMD …``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

import msgspec

from runwatch.errors import RunwatchError
from runwatch.finalize.state import FinalizeState, Outcome, load_state, save_state
from runwatch.journal.descriptors import hold_standard
from runwatch.journal.discard import discard
from runwatch.journal.held import HeldDirectory, as_named
from runwatch.journal.lock import Role, RunLock
from runwatch.journal.paths import RunPaths
from runwatch.journal.process_mark import mark_of
from runwatch.journal.step_at_hand import StepTeller
from runwatch.journal.writer import EventWriter, now_text
from runwatch.record import farewell, finalizing, limits, memory, spawn, unrecorded
from runwatch.record.capture import Capture
from runwatch.record.config import SupervisorConfig
from runwatch.record.control import ControlServer, Reply, Request
from runwatch.record.keeper import Keeper
from runwatch.record.outcome import Stop, decide, not_started, signal_name
from runwatch.record.stand_in import by_signal
from runwatch.record.step_switch import StepSwitch
from runwatch.record.steps import StepBook
from runwatch.record.stopping import ASKING, Stopper
from runwatch.record.stream import Stream
from runwatch.sources.markers import MarkerScanner

PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGALRM)
"""Signals that mean nothing to us and are the command's when a process sent them."""
WAKE = signal.SIGRTMAX
"""Ends the main thread's wait when another thread has work for it."""
TRAILING_S = 0.25
"""How long output of a command that has ended is waited for when somebody else still holds its stream."""
NO_COMMAND = -1


class Supervisor:
    """One recorded command from its start to its end. All but copying and the socket happens in the main thread."""

    def __init__(self, run_dir: Path, config: SupervisorConfig, argv: list[str]) -> None:
        self.held = HeldDirectory(run_dir)
        self.paths, self.config, self.argv = RunPaths(self.held.path), config, argv
        self.ignored = {number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN}
        # Python ignores the first two for itself; with the third ignored nobody could know how the command ended.
        self.ignored -= {signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD}
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.waited = ({*ASKING, *PASSED_ON} - self.ignored) | {signal.SIGCHLD, WAKE}
        limits.raise_files()
        # Blocked in every thread and taken one by one with sigtimedwait: no handler ever interrupts anything.
        signal.pthread_sigmask(signal.SIG_BLOCK, self.waited)
        self.lock = self._own()
        self.journal = EventWriter(self.paths)
        self.teller = StepTeller(self.paths.root)
        self.book = StepBook(self.teller.tell)
        self.steps = StepSwitch(self.book, self.journal, lambda step: self.capture.cut(step))
        self.requests: list[Request] = []
        self.main_thread = threading.get_ident()
        self.outcome: Outcome | None = None
        self.failure: spawn.CannotStart | None = None
        """Why the command could not be started."""
        self.hung_up = False
        """Whether a closed terminal was told of."""
        self.left_open: list[Stream] = []
        """Streams that processes which the command left behind still hold."""

    def _own(self) -> RunLock:
        """Take the run over from the process that made it."""
        if self.config.lock_fd < 0:
            lock = RunLock.of(self.paths.lock)
            lock.acquire(Role.OWNER)
            return lock
        lock = RunLock.adopt(self.paths.lock, self.config.lock_fd)
        lock.acquire(Role.OWNER)
        lock.started()
        return lock

    def start(self) -> None:
        """Get all that recording needs, and only then start the command, which must not suffer from what is missing.

        Raises OSError, RuntimeError, MemoryError, RunwatchError: then nothing was started.
        """
        room = limits.room_for_processes()
        if room is not None and room < limits.TOO_FEW_PROCESSES and self.config.pass_through:
            raise RunwatchError(limits.too_few(room))
        size = (self.config.rows, self.config.columns) if self.config.rows else None
        channels = spawn.open_channels(self.config.mode, self.config.pass_through, size)
        scanner = MarkerScanner(self.config.marker_pattern, self.config.marker_where)
        losses = self.journal.losses
        self.capture = Capture(
            self.paths, channels, scanner, self.steps.marker, self.config.max_file_bytes, losses, by_signal
        )
        self.masters = [channel.read_fd for channel in channels] if self.config.mode == "pty" else []
        self.capture.start()
        self.oom_kills = memory.oom_kills() or 0
        self.pid = NO_COMMAND
        self.stopper = Stopper(NO_COMMAND, group=False)
        self.control = None if room is not None else self._listen()  # before the command: its first act may be a step
        self.keeper = Keeper(self.held, self._recorder_arguments(), self._recorder_died, self.ignored)
        if room is None:
            self.keeper.start()
        else:
            self._leave_to_command(room)
        ignored = {int(number) for number in self.ignored}
        try:
            try:
                self.pid = spawn.start(self._launch(), channels, ignored)
            except OSError:
                if not self.keeper.give_way():
                    if self.control is not None:
                        self.control.close()
                    raise
                self.pid = spawn.start(self._launch(), channels, ignored)
                self._recorder_died("gave way to the command: processes or memory have run out")
        except spawn.CannotStart as error:
            self.failure = error
        else:
            self.keeper.tell_command(self.pid)
            self.stopper = Stopper(self.pid, group=self.config.own_session)
            self._mark_command()

    def run(self) -> Outcome:
        """See the command that was started to its end and have the run finalized; return how it ended."""
        failure = self.failure
        if failure is not None:
            if not self.config.quiet or self.config.pass_through:
                farewell.say(failure.sentence)
            self._end(not_started(failure.exit_code, failure.sentence, now_text()))
        else:
            self._watch()
        assert self.outcome is not None
        return self.outcome

    def _leave_to_command(self, room: int) -> None:
        """Start nothing that takes a process or thread from the command, and say what that costs."""
        self.keeper.hold_back()
        self.journal.emit("warning", message=limits.few(room), where="supervisor")
        if self.config.pass_through and not self.config.quiet:
            farewell.say(limits.few(room))

    def _listen(self) -> ControlServer | None:
        """Open the control socket; a run whose disk or memory has no room for it goes on without."""
        try:
            return ControlServer(self.paths.control, self._answer)
        except (OSError, RuntimeError) as error:
            self.journal.emit("warning", message=f"no control socket: {error}", where="supervisor")
            return None

    def _mark_command(self) -> None:
        """Leave word which process the command is, for those who find it alive and the run without an owner."""
        try:
            self.lock.note(mark_of(self.pid))
        except OSError:
            pass  # a full disk: the processes are found by their environment then

    def _launch(self) -> spawn.Launch:
        environment = dict(os.environb)
        environment[b"RUNWATCH_RUN_DIR"] = os.fsencode(self.held.where())
        environment.pop(b"RUNWATCH_STEP", None)
        if self.config.unbuffer:
            environment[b"PYTHONUNBUFFERED"] = b"1"
        if self.config.mode == "pty":
            environment |= {b"PAGER": b"cat", b"GIT_PAGER": b"cat"}
        return spawn.Launch(
            argv=self.argv,
            env=environment,
            mode=self.config.mode,
            own_session=self.config.own_session,
            null_stdin=self.config.null_stdin,
        )

    def _recorder_arguments(self) -> list[str]:
        arguments = ["--owner", str(os.getpid())]
        if self.config.pass_through and not self.config.quiet:
            arguments.append("--talk")
        return arguments

    def _watch(self) -> None:
        """The main loop: until the command has ended."""
        while True:
            wait = self.stopper.wait_s()
            info = signal.sigwaitinfo(self.waited) if wait is None else signal.sigtimedwait(self.waited, wait)
            self.stopper.tick()
            if info is not None:
                self._signal(info)
            self._serve_requests()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._command_ended(status)
                return
            self.keeper.reap()
            if os.getpid() == 1:
                spawn.reap_orphans({self.pid, self.keeper.pid})

    def _signal(self, info: signal.struct_siginfo) -> None:
        number, from_process = info.si_signo, info.si_code <= 0
        if number == signal.SIGHUP and self.hung_up:
            return  # one closed terminal tells us by its shell and by the kernel, and asks only once
        self.hung_up = self.hung_up or number == signal.SIGHUP
        if number in ASKING:
            name = signal_name(number)
            person = number == signal.SIGINT and not from_process
            grace = self.config.grace_person_s if person else self.config.grace_signal_s
            # What the terminal sent has reached the command too: it is in the same process group. But a terminal that
            # closes tells the leader of its session alone (`ssh -t host runwatch run …`), and that may be us.
            leader = number == signal.SIGHUP and os.getsid(0) == os.getpid()
            send = number if from_process or self.config.own_session or leader else None
            self.stopper.request(Stop(by="Ctrl-C" if person else name), grace, send=send)
        elif number == signal.SIGALRM and not from_process:
            if self.capture.look() and self.config.pass_through and not self.config.quiet:
                farewell.say(f"the disk of {self.held.where()} does not answer: output is kept in memory meanwhile.")
        elif number in PASSED_ON and from_process:
            self.stopper.send(number)

    def _serve_requests(self) -> None:
        while self.requests:
            request = self.requests.pop(0)
            number = getattr(signal, request.signal, signal.SIGTERM)
            usual = self.config.grace_person_s if request.person else self.config.grace_signal_s
            grace = usual if request.grace_s is None else request.grace_s
            stop = Stop(by=request.by, limit=request.limit)
            self.stopper.request(stop, grace, send=int(number), way="" if request.person else "relay")

    def _answer(self, request: Request) -> Reply:
        """Serve one request; runs in the client's thread."""
        if request.op == "step":
            return self.steps.begin(request)
        if request.op == "step_end":
            return self.steps.end(request)
        if request.op == "stop":
            self.requests.append(request)
            signal.pthread_kill(self.main_thread, WAKE)
            return Reply(ok=True, pid=self.pid)
        if request.op == "winsize" and request.rows > 0 and request.cols > 0:
            for master in self.masters:
                spawn.set_size(master, request.rows, request.cols)
            self.stopper.send(signal.SIGWINCH)
            return Reply(ok=True)
        if request.op == "ping":
            return Reply(ok=True, pid=self.pid, step=self.book.current)
        return Reply(ok=False, error=f"unknown request {request.op!r}")

    def _recorder_died(self, reason: str) -> None:
        self.journal.emit("recorder.replaced", reason=reason)
        told = self.config.pass_through and not self.config.quiet and not farewell.is_gone(self.paths)
        if self.keeper.given_up and told:
            farewell.say(f"recorder {reason}; nothing is lost, all is read at the end.")

    def _command_ended(self, status: int) -> None:
        self.stopper.gone = True
        self.left_open = self.capture.finish(TRAILING_S)
        if self.config.null_stdin and self.capture.met_end_of_input():
            message = "the command met the end of its input, /dev/null under the app: --headless gives it yours"
            self.journal.emit("warning", message=message, where="stdin")
        outcome = decide(
            wait_status=status,
            stop=self.stopper.stop,
            ended=now_text(),
            killed=self.stopper.killed,
            core_dumped=os.WCOREDUMP(status),
            oom_kills=(memory.oom_kills() or 0) - self.oom_kills,
        )
        self._end(outcome)

    def _asked_to_leave(self) -> bool:
        """Whether a client asked for the run's end since this was asked last."""
        asked = bool(self.requests)
        self.requests.clear()
        return asked

    def _end(self, outcome: Outcome) -> None:
        """Write the provisional status, have the recorder finalize, and wait for it. No signal interrupts its work."""
        self.outcome = outcome
        self.journal.sync()
        paths = RunPaths(self.held.where())
        state = load_state(paths.finalize_state)
        if state.outcome is None:
            try:
                save_state(paths.finalize_state, FinalizeState(outcome=outcome, stages=state.stages))
            except OSError as error:
                if not farewell.is_gone(paths):
                    farewell.say(f"the run's status cannot be written ({error.strerror}): {outcome.reason}.")
        self.keeper.tell_end(outcome)
        finalizing.wait(self.keeper, self.waited, self._asked_to_leave, farewell.say)
        if self.keeper.exit_code != 0:
            farewell.not_finalized(RunPaths(self.held.where()))
        if self.control is not None:
            self.control.close()
            self.teller.close()
        self.lock.release(Role.OWNER)


def main() -> None:
    """Run the supervisor and end as the command did."""
    hold_standard()
    separator = sys.argv.index("--")
    config = msgspec.json.decode(sys.argv[separator - 1].encode(), type=SupervisorConfig)
    paths, argv = RunPaths(Path(sys.argv[separator - 2])), sys.argv[separator + 1 :]
    try:
        supervisor = Supervisor(paths.root, config, argv)
        supervisor.start()
    except (OSError, RuntimeError, MemoryError, RunwatchError) as error:
        _not_recorded(paths, config, argv, as_named(unrecorded.reason(error), paths.root))
    outcome = supervisor.run()
    farewell.leave_streams(supervisor.left_open)
    farewell.end_like(outcome)


def _not_recorded(paths: RunPaths, config: SupervisorConfig, argv: list[str], reason: str) -> NoReturn:
    """Run the command as if we were not here; under the app, which needs us, say why it was not started."""
    if config.pass_through:
        farewell.say(f"not recorded: {reason}")
        discard(paths)
        unrecorded.become(argv)
    try:
        save_state(paths.finalize_state, FinalizeState(outcome=not_started(125, f"not started: {reason}", now_text())))
    except OSError:
        pass  # the exit code says it
    sys.exit(125)


if __name__ == "__main__":
    main()
