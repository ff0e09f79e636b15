"""``runwatch logs``: a run's logs as text, for pipes.

Must not choose or merge lines itself.
"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from runwatch.cli.where import run_names, the_run


@click.command(epilog="Example: runwatch logs @1 --step 3 --level warn --grep timeout")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--step", type=int, help="Only this step.")
@click.option("--component", multiple=True, help="Only this component; may be given again.")
@click.option("--level", help="This level and those above it.")
@click.option("--since", metavar="T", help="From a time on: 2026-10-20T14:23:45Z, 14:23:45 or 10m.")
@click.option("--grep", metavar="RE", help="Only lines in which this regular expression is found.")
@click.option("--runs-dir", help="The runs folder.")
def command(
    run: str | None,
    follow: bool,
    step: int | None,
    component: tuple[str, ...],
    level: str | None,
    since: str | None,
    grep: str | None,
    runs_dir: str | None,
) -> int:
    """Print a run's logs, merged by time. RUN: path, run id, unique prefix, @1; else the newest."""
    from runwatch.cli.looking import look_after
    from runwatch.runs import log_text
    from runwatch.visible import visible

    wanted = log_text.Wanted(
        step=step,
        components=component,
        level=log_text.wanted_level(level) if level else None,
        since=log_text.wanted_time(since, datetime.now(UTC)) if since else None,
        pattern=log_text.wanted_pattern(grep) if grep else None,
    )
    run_dir = the_run(run, runs_dir)
    for line in log_text.lines(run_dir, wanted, follow=follow):
        click.echo(visible(line))  # also in a pipe: behind it a pager may obey what a log says
    look_after([run_dir])
    return 0
