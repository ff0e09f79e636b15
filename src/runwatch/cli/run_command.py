"""``runwatch run``: record a command.

Must not hold the command: the supervisor does, which this process becomes or starts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from runwatch.errors import RecordError, UsageError
from runwatch.journal.descriptors import is_held


@click.command(
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    epilog="Example: runwatch run --framework baes -- python experiment.py --seed 1",
)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="-- CMD...")
@click.option("--framework", help="What is being run: the first level below the runs folder.")
@click.option("--run-id", help="Name of the run; else made from the time.")
@click.option("--runs-dir", help="The runs folder; else runs/ at the top of the git work tree, or here.")
@click.option("--headless", is_flag=True, help="No app: pass the output through.")
@click.option("--quiet", is_flag=True, help="No lines of runwatch's own on stderr.")
@click.option("--detach", is_flag=True, help="Leave at once; the run goes on.")
@click.option(
    "--stdin",
    type=click.Choice(["auto", "inherit", "null"]),
    default=None,
    help="The command's input: yours, without the app (inherit), or none.",
)
def command(argv: tuple[str, ...], **options: Any) -> int:
    """Record CMD as a run: live in the app on a terminal, passed through otherwise. Ends as CMD does."""
    if not argv:
        raise UsageError("No command: write it behind `--`, for example `runwatch run -- python experiment.py`.")
    if os.environ.get("RUNWATCH_DISABLE") == "1":
        execute(list(argv))
    from runwatch.cli.where import check_look, settings_here
    from runwatch.record import launch
    from runwatch.settings import runs_root
    from runwatch.settings.groups import Tui
    from runwatch.vcs import find_work_tree
    from runwatch.vcs.sparse import outside_cone_warning

    flags = {"run.framework": options["framework"], "run.runs_dir": options["runs_dir"]}
    settings = settings_here(flags)
    if settings.tui != Tui() or settings.keys:
        check_look(settings)
    cwd = Path.cwd()
    root = runs_root(settings, cwd, find_work_tree(cwd))
    complaint = outside_cone_warning(root)
    request = launch.Request(
        argv=list(argv),
        framework=settings.run.framework,
        run_id=options["run_id"],
        runs_root=root,
        settings=settings,
        environ=os.environ,
        cwd=cwd,
        complaint=complaint,
    )
    try:
        paths = launch.prepare(request)
    except RecordError as error:
        click.echo(f"runwatch: not recorded: {error.sentence}", err=True)
        execute(list(argv))
    from runwatch.cli import running

    if complaint is not None and not options["quiet"]:
        click.echo(f"runwatch: {complaint}.", err=True)
    if options["detach"]:
        return running.detach(paths, settings, list(argv), stdin=options["stdin"])
    if options["headless"] or not on_terminal() or running.wants_input(settings, options["stdin"]):
        launch.become_supervisor(paths, running.headless_config(settings, options), list(argv))
    return running.under_app(paths, settings, list(argv), stdin=options["stdin"])


def on_terminal() -> bool:
    """Whether a person is there: stdin and stdout are terminals and ``CI`` is unset. Source: record.md.

    Not where stderr was closed: the app draws there.
    """
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_held(2) and not os.environ.get("CI")


def execute(argv: list[str]) -> NoReturn:
    """Become the command, untouched."""
    from runwatch.record import unrecorded

    sys.stdout.flush()
    sys.stderr.flush()
    unrecorded.become(argv)
