"""The terminal app: its themes, its keys, and which screen is shown.

Must not read or write a run itself: screens read through feeds, and stopping goes through the caller's RunControl.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from runwatch import palettes
from runwatch.errors import RunwatchError, SettingsError
from runwatch.tui import collector, theme
from runwatch.tui.cells import clean
from runwatch.tui.control import Mode, Outcome, RunControl
from runwatch.tui.following import Following, NewFeed
from runwatch.tui.key_order import KeyOrderApp
from runwatch.tui.leaving import LeavingApp
from runwatch.tui.messages import RunAsked
from runwatch.tui.screens.run import RunScreen
from runwatch.units import cut_end

if TYPE_CHECKING:
    from runwatch.fold import Fold
    from runwatch.settings import Settings
    from runwatch.tui.state import Snapshot

_HOUSE = "runwatch-dark"
"""The theme that is always there."""
_NOT_OFFERED = ("Quit", "Keys", "Theme", "Maximize", "Minimize")
"""Commands of Textual's that this app has its own for."""
_SHEETS = (
    "widgets/pane",
    "widgets/lines_view",
    "widgets/run_header",
    "widgets/key_bar",
    "widgets/steps_pane",
    "widgets/log_pane",
    "widgets/log_view",
    "widgets/ending_pane",
    "screens/run",
    "screens/dialog",
    "screens/help",
    "screens/record",
    "screens/runs",
    "screens/commands",
)


class RunwatchApp(LeavingApp, KeyOrderApp):
    """One run on the screen, and the way to the others."""

    TITLE = "runwatch"
    CSS_PATH = [Path(__file__).parent.joinpath(f"{sheet}.tcss") for sheet in _SHEETS]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Stop the run", show=False, priority=True, id="run.interrupt"),
        Binding("colon", "command_palette", "Every action by name", show=False, id="app.commands"),
    ]

    def __init__(
        self,
        run_dir: Path,
        *,
        mode: Mode = "watch",
        control: RunControl | None = None,
        settings: Settings | None = None,
        new_feed: NewFeed | None = None,
        remember_theme: Callable[[str], str] | None = None,
    ) -> None:
        self._settings = settings
        super().__init__(mode, control)
        self.run_dir = run_dir
        self._new_feed = new_feed
        self._remember_theme = remember_theme
        self.set_keymap(dict(settings.keys) if settings else {})
        self._trouble = self.dress(settings.tui.theme if settings else _HOUSE)

    def dress(self, name: str) -> str | None:
        """Put a theme on; return the sentence that says why it cannot be, and wear the house's dark one then."""
        folders = palettes.theme_folders(Path.cwd())
        trouble = None
        for wanted in (name, _HOUSE):
            if wanted in self.available_themes:
                self._put_on(wanted)
                return trouble
            try:
                self.register_theme(theme.to_theme(palettes.load_palette(wanted, folders)))
            except SettingsError as error:
                trouble = trouble or error.sentence
            else:
                self._put_on(wanted)
                return trouble
        return trouble

    def _put_on(self, name: str) -> None:
        theme = self.available_themes[name]
        if self.is_running or not theme.dark:
            self.theme = name
            return
        # Nothing is styled yet: set as usual, the theme would have every style sheet parsed once more.
        self.set_reactive(App.theme, name)
        self.set_class(True, f"-theme-{name}", "-dark-mode", update=False)
        self.set_class(False, "-light-mode", update=False)
        self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        """Say what could not be done before there was a screen."""
        self.set_timer(collector.AFTER_S, collector.wake)
        if self._trouble:
            self.notify(clean(self._trouble), severity="warning", timeout=15, markup=False)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the house's colors for themes that do not bring their own."""
        current = self.current_theme
        return {} if current.variables.keys() >= theme.VARIABLES else theme.stand_ins(current)

    def get_default_screen(self) -> Screen[None]:
        """The run is the first thing to be seen."""
        return self._run_screen(self.run_dir, show_end=self.mode == "run")

    def _run_screen(self, run_dir: Path, *, show_end: bool = False) -> RunScreen:
        return RunScreen(run_dir, self._new_feed or self._feed, show_end=show_end)

    def _feed(self, run_dir: Path, post: Callable[[Snapshot], None]) -> Following:
        """Called by the feed's thread."""
        from runwatch.tui.feed import Feed

        return Feed(run_dir, post, new_fold=lambda: self._new_fold(run_dir))

    def _new_fold(self, run_dir: Path) -> Fold:
        """Return a fold with the prices that the run was started with. Called by the feed's thread."""
        from runwatch.fold import Fold
        from runwatch.journal.follow import events
        from runwatch.journal.paths import RunPaths
        from runwatch.pricing import Pricer

        _, first = next(events(RunPaths(run_dir).journal), (0, None))
        overrides = getattr(first, "settings", {}).get("pricing")
        return Fold(price=Pricer(overrides if isinstance(overrides, dict) else None))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen, then Textual's own."""
        if isinstance(screen, RunScreen):
            yield from screen.commands(self.is_true)
        for each in palettes.available(palettes.theme_folders(Path.cwd())):
            yield SystemCommand(f"Theme: {each.name}", "Colors of the app", partial(self._wear, each.name))
        for command in super().get_system_commands(screen):
            if command.title not in _NOT_OFFERED:
                yield command

    def _wear(self, name: str) -> None:
        if trouble := self.dress(name):
            self.notify(clean(trouble), severity="warning", markup=False)
        elif self._remember_theme is not None:
            self._ask(partial(self._keep_theme, self._remember_theme, name))

    def _keep_theme(self, remember: Callable[[str], str], name: str) -> None:
        """Have a theme kept, and say where or why not. Called in a thread."""
        try:
            told, severity = f"{name} is kept in {remember(name)}.", "information"
        except SettingsError as error:
            told, severity = error.sentence, "warning"
        self.call_from_thread(self.notify, clean(told), severity=severity, markup=False)

    def action_help(self) -> None:
        """List the keys of the screen at hand."""
        from runwatch.tui.screens.help import HelpScreen, rooms

        active = {
            key: each.binding
            for key, each in self.screen.active_bindings.items()
            if each.binding.id and each.binding.description and self.is_true(each.binding)
        }
        listed = rooms(
            (binding.id or "", self.get_key_display(binding), binding.description) for binding in active.values()
        )
        self.push_screen(HelpScreen(listed, active.keys()), lambda key: self.simulate_key(key) if key else None)

    def action_runs(self) -> None:
        """Show all runs."""
        from runwatch.tui.screens.runs import RunsScreen

        self.push_screen(RunsScreen(self.run_dir.parent.parent))

    def _print_error_renderables(self) -> None:
        """Textual would print its traceback with every local variable, secrets too: ``run_app`` tells it in a line."""
        self._exit_renderables.clear()

    def on_delivery_complete(self, message: events.DeliveryComplete) -> None:
        """Say where the file is that a person asked for."""
        where = "" if message.path is None else f" as {message.path}"
        self.notify(clean(f"Saved{where}."), timeout=12, markup=False)

    def on_delivery_failed(self, message: events.DeliveryFailed) -> None:
        """Say why there is no file."""
        self.notify(clean(f"It could not be saved: {message.exception}."), severity="error", timeout=12, markup=False)

    def on_run_asked(self, message: RunAsked) -> None:
        """Show another run instead of the one before; the first one stays open beneath."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if message.run_dir.resolve() != self.run_dir.resolve():
            self.push_screen(self._run_screen(message.run_dir))


def run_app(
    run_dir: Path,
    *,
    mode: Mode = "watch",
    control: RunControl | None = None,
    settings: Settings | None = None,
    remember_theme: Callable[[str], str] | None = None,
) -> Outcome:
    """Show a run until a person leaves, and say how.

    ``mode="run"``: this terminal started it, and its directory may hold nothing but the journal's first line.
    ``remember_theme`` writes the name of a theme that was chosen here; it is called in a thread, returns
    where it is now and may raise OSError and SettingsError.
    Blocks; owns the terminal meanwhile; must be called from the main thread. Raises RunwatchError when the app itself
    broke, with its cause, once the terminal is as it was; the run goes on regardless.
    """
    app = RunwatchApp(run_dir, mode=mode, control=control, settings=settings, remember_theme=remember_theme)
    try:
        outcome = app.run()
    finally:
        collector.wake()
    if app.return_code:
        raise _broken(app._exception) from app._exception
    return outcome or Outcome(left_running=True)


def _broken(cause: Exception | None) -> RunwatchError:
    """Return what to tell of an app that broke; Textual keeps the first exception and nothing else."""
    told = " ".join(clean(cause).split()) if cause else ""
    reason = f"{type(cause).__name__}{': ' if told else ''}{cut_end(told, 200)}" if cause else "Textual says no more"
    return RunwatchError(f"The app failed, the run is left as it is: {reason.rstrip('.')}.")
