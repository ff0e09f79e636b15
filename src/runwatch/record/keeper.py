"""Keeping one recorder alive beside a run: start it, start it again when it dies, and let it finalize.

Must not read the journal or wait for the recorder while the run goes on. Source: finalizer.md, "Who finalizes".
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import msgspec

from runwatch.finalize.state import Outcome
from runwatch.journal.descriptors import is_held
from runwatch.journal.held import HeldDirectory
from runwatch.record.outcome import signal_name
from runwatch.record.stopping import ASKING

MAX_DEATHS = 3
"""After so many deaths within a minute the run goes on unfolded."""
WINDOW_S = 60.0
UNFOLDED = "the run goes on unfolded: secrets that only its processes hold, and end with, may be published"


class Keeper:
    """The recorder process of a run, seen from its supervisor or guardian."""

    def __init__(
        self,
        held: HeldDirectory,
        arguments: list[str],
        on_replaced: Callable[[str], None],
        ignored: Iterable[int] = (),
    ) -> None:
        """``arguments`` go to the recorder; ``on_replaced`` is told why the former recorder ended.

        ``ignored`` are the signals that were ignored when runwatch started, and that the recorder ignores too.
        """
        self._held, self._arguments, self._on_replaced = held, arguments, on_replaced
        self._ignored = frozenset(ignored)
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._pipe = -1
        self.pid: int | None = None
        """None when there is none, for good or for now."""
        self.exit_code: int | None = None
        """Of a recorder that was told to finalize and ended."""
        self.given_up = False
        """Whether it died too often."""
        self._told: str | None = None

    def tell_command(self, pid: int) -> None:
        """Tell this recorder and every later one which process to watch.

        The first one starts before the command, so that none runs without anybody who would end it.
        """
        self._arguments = [*self._arguments, "--command", str(pid)]
        self._write(f"command {pid}\n")

    def start(self) -> None:
        """Start a recorder in a session of its own, so that no terminal ends it.

        A polite signal waits until it has come so far that it can pass it on.
        """
        try:
            read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        except OSError as error:
            self._give_up(error)
            return
        program, environment = self._held.program()
        argv = [program, "-P", "-m", "runwatch.record.recorder", str(self._held.where()), *self._arguments]
        argv += ["--began", str(self._held.first)]
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, read_fd, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        ]
        if is_held(2):
            actions.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))
        defaults = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP} - self._ignored)
        try:
            with _kept_back(), self._held.inheritable() as held:
                self.pid = os.posix_spawn(
                    program,
                    [*argv, "--held", held],
                    environment,
                    file_actions=actions,
                    setsid=True,
                    setsigmask=ASKING,
                    setsigdef=defaults,
                )
        except OSError as error:
            os.close(write_fd)
            self._give_up(error)
            return
        finally:
            os.close(read_fd)
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe = write_fd
        if self._told:
            self._write(self._told)

    def hold_back(self) -> None:
        """Start no recorder before the run's end: what it takes is the command's."""
        self.given_up = True

    def _give_up(self, error: OSError) -> None:
        self.pid, self.given_up = None, True
        self._on_replaced(f"could not be started ({error.strerror})")

    def tell_end(self, outcome: Outcome) -> None:
        """Tell the recorder how the run ended, so that it finalizes; start one for it when there is none.

        The outcome stands in finalize.json too, unless the disk is full.
        """
        self._told = f"end {msgspec.json.encode(outcome).decode()}\n"
        self._deaths.clear()  # the end has tries of its own
        self.given_up = False
        if self.pid is None:
            self.start()
        else:
            self._write(self._told)
            os.kill(self.pid, signal.SIGCONT)  # a recorder that somebody stopped would keep the run from its end

    def _write(self, line: str) -> None:
        try:
            os.write(self._pipe, line.encode())
        except OSError:
            pass  # it has just died; reap() starts another, which is told again

    def give_way(self) -> bool:
        """End the recorder before the command has started, which needs what it takes; False where there is none."""
        if self.pid is None:
            return False
        try:
            os.killpg(self.pid, signal.SIGKILL)  # with what it has started
        except ProcessLookupError:  # it has not come to its own session yet
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid, self.given_up = None, True
        return True

    def abandon(self) -> None:
        """Kill a recorder that stands still; the run can be finalized by somebody else then."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.pid = None

    def reap(self) -> None:
        """Look whether the recorder died, and start another one unless it died too often."""
        if self.pid is None:
            return
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return
        self.pid = None
        if self._told and os.WIFEXITED(status):
            self.exit_code = os.WEXITSTATUS(status)
            return
        how = (
            f"killed by {signal_name(os.WTERMSIG(status))}"
            if os.WIFSIGNALED(status)
            else f"ended with exit code {os.WEXITSTATUS(status)}"
        )
        now = time.monotonic()
        self._deaths.append(now)
        if len(self._deaths) == MAX_DEATHS and now - self._deaths[0] < WINDOW_S:
            self.given_up = True
            self._on_replaced(f"{how}, {MAX_DEATHS} times within a minute; {UNFOLDED}")
            return
        self._on_replaced(how)
        self.start()


@contextmanager
def _kept_back() -> Iterator[None]:
    """Have what is started here not inherit what our caller left open for the command.

    Not as file actions: those refuse descriptors above a limit that was lowered after they were opened.
    """
    kept = _inherited()
    for fd in kept:
        os.set_inheritable(fd, False)
    try:
        yield
    finally:
        for fd in kept:
            os.set_inheritable(fd, True)


def _inherited() -> list[int]:
    """Return the descriptors above 2 that our caller left open for the command: the recorder must not hold them."""
    found: list[int] = []
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:  # another system, or no descriptor is left to read it with
        return found
    for name in names:
        fd = int(name)
        try:
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
        except OSError:
            continue
    return found
