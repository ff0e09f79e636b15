"""How the app is left and a run is stopped: what is asked, what Ctrl-C does the first and the second time.

Must not stop anything itself: it asks the RunControl that the caller brought.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from textual import events
from textual.binding import Binding

from runwatch.tui.cells import clean
from runwatch.tui.control import ESCALATION, Mode, Outcome, RunControl
from runwatch.tui.messages import RunOver
from runwatch.tui.screens.run import RunScreen
from runwatch.tui.state import LIVE, Life
from runwatch.tui.toasts import ToastingApp

AGAIN_S = 2.0
"""A second Ctrl-C within this stops the run."""
_LOOK_S = 0.5


class LeavingApp(ToastingApp):
    """An app that shows a run of somebody's, and may ask for it to be stopped."""

    def __init__(self, mode: Mode, control: RunControl | None) -> None:
        super().__init__()
        self.mode = mode
        self.control = control
        self._interrupted_at = -AGAIN_S
        self._told_size: tuple[int, int] | None = None

    def on_mount(self) -> None:
        """Look now and then whether this program was told to end."""
        if self.mode == "run":
            self.set_interval(_LOOK_S, self._close_if_told)

    def _close_if_told(self) -> None:
        over = self.own.life not in (*LIVE, Life.FINALIZING, Life.OPENING)
        if over and self.control is not None and self.control.is_ending:
            self._close()

    @property
    def own(self) -> RunScreen:
        """The screen of the run that the app was opened on."""
        screen = self.screen_stack[0]
        assert isinstance(screen, RunScreen)
        return screen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what makes no sense now: stopping what has ended."""
        return self.own.life in LIVE if action == "stop" and self.screen_stack else True

    def is_true(self, binding: Binding) -> bool:
        """Whether a key does now what is said of it: Ctrl-C stops only a run that goes on."""
        return binding.id != "run.interrupt" or self.own.life in LIVE

    def on_resize(self, event: events.Resize) -> None:
        """The command's terminal is as large as this one."""
        size = (event.size.height, event.size.width)
        known, self._told_size = self._told_size, size
        if self.mode == "run" and self.control is not None and known not in (None, size):
            self._ask(partial(self.control.resize, *size), quiet=True)

    async def action_quit(self) -> None:
        """Ctrl-Q and the palette leave as ``q`` does."""
        self.action_leave()

    def action_leave(self) -> None:
        """Leave; of a run that goes on, ask first."""
        if self.own.life not in LIVE:
            self._close()
            return
        from runwatch.tui.screens import questions

        self._dismiss_question()
        self.push_screen(questions.on_quit(self.own.run_dir.name, can_stop=self.control is not None), self._answered)

    def action_stop(self) -> None:
        """Ask whether to stop the run."""
        self._ask_to_stop(again=False)

    def action_interrupt(self) -> None:
        """Ctrl-C: ask; again within two seconds: stop; once it is stopping: more firmly each time."""
        now = time.monotonic()
        again, self._interrupted_at = now - self._interrupted_at < AGAIN_S, now
        if self.own.life not in LIVE:
            self._close()
        elif self.own.stopping or (again and self.control is not None):
            self._dismiss_question()
            self._stop()
        else:
            self._ask_to_stop(again=True)

    def _ask_to_stop(self, *, again: bool) -> None:
        if self.own.life not in LIVE:
            self.notify("This run has ended.", markup=False)
        elif self.control is None:
            self.notify(f"`runwatch stop {clean(self.own.run_dir.name)}` stops it.", markup=False)
        else:
            from runwatch.tui.screens import questions

            self._dismiss_question()
            self.push_screen(questions.on_stop(again=again), self._answered)

    def on_run_over(self, message: RunOver) -> None:
        """Take back what was said of a live run, and the question whether to stop or leave it."""
        self.clear_notifications()
        if self.own.life not in LIVE:
            self._dismiss_question()

    def _dismiss_question(self) -> None:
        from runwatch.tui.screens.dialog import Dialog

        if isinstance(self.screen, Dialog):
            self.pop_screen()

    def _answered(self, answer: str | None) -> None:
        if answer == "leave":
            self._close()
        elif answer == "stop":
            self._stop()

    def _stop(self) -> None:
        """Ask the owner to stop the command, more firmly each time."""
        if self.control is None or self.own.life not in LIVE:
            return
        last = len(ESCALATION) - 1
        signal = ESCALATION[min(self.own.stopping, last)]
        self.own.mark_stopping()
        self._ask(partial(self.control.stop, signal, "person"))
        following = ESCALATION[min(self.own.stopping, last)]
        self.notify(f"Asked the command to stop ({signal}). Ctrl-C again sends {following}.", markup=False)

    def _ask(self, call: Callable[[], None], *, quiet: bool = False) -> None:
        """Call what the caller brought from a thread; what goes wrong there is told."""

        def ask() -> None:
            try:
                call()
            except OSError as error:
                if not quiet:
                    told = clean(f"That could not be done: {error}.")
                    self.call_from_thread(self.notify, told, severity="error", markup=False)

        self.run_worker(ask, thread=True, exit_on_error=False)

    def _close(self) -> None:
        own = self.own
        running = own.life in LIVE
        if running and self.control is not None and self.mode == "run":
            try:
                self.control.detach()
            except OSError as error:
                self.log.warning(f"the owner could not be told that nobody watches: {error}")
        self.exit(
            Outcome(
                left_running=running and not own.stopping,
                stop_asked=bool(own.stopping),
                finalized=own.life is Life.ENDED,
            )
        )
