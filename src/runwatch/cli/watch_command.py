"""``runwatch watch``: the app on a live or finished run.

Must not own the run: leaving it leaves the run alone.
"""

from __future__ import annotations

import sys

import click

from runwatch.cli.where import check_look, remember_theme, run_names, settings_here, the_run
from runwatch.errors import UsageError


@click.command(epilog="Example: runwatch watch @1")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, runs_dir: str | None) -> int:
    """Open the app on a run, live or finished. RUN: path, run id, unique prefix, @1, @2 …; else the newest."""
    from runwatch.tui import collector

    collector.rest()
    from runwatch.cli.control import SocketControl
    from runwatch.journal.paths import RunPaths

    paths = RunPaths(the_run(run, runs_dir))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The app needs a terminal and there is none here: `runwatch logs -f` and `show` work in pipes."
        )
    from runwatch.cli.looking import recover_behind, remark
    from runwatch.runs.standing import standing
    from runwatch.tui.app import run_app

    settings = settings_here()
    check_look(settings)
    now = standing(paths)
    if now.recoverable:
        recover_behind([paths.root.parent.parent])  # the app shows the stages as they are done
    run_app(paths.root, mode="watch", control=SocketControl(paths), settings=settings, remember_theme=remember_theme)
    if not now.live:
        remark(paths.root, standing(paths))
    return 0
