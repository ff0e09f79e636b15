"""``runwatch reconcile``: a run's recorded usage against the provider's.

Must not compare or word anything.
"""

from __future__ import annotations

from pathlib import Path

import click

from runwatch.cli.where import pretty_json, run_names, settings_here, the_run


@click.command(epilog="Example: runwatch reconcile @1 --usage usage.csv --only project_id=proj_1")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--usage", required=True, type=click.Path(path_type=Path), help="Usage or cost export, CSV or JSON.")
@click.option(
    "--only", multiple=True, metavar="COLUMN=VALUE", help="Only the export's rows with this value; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="The comparison, as JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, usage: Path, only: tuple[str, ...], as_json: bool, runs_dir: str | None) -> int:
    """Hold recorded tokens and cost against a provider's export, by model and day: exit code 0 agrees, 1 differs.

    RUN: path, run id, prefix, @1; else the newest.
    """
    from runwatch.errors import RunwatchError, UsageError
    from runwatch.finalize.reconciling import reconcile
    from runwatch.views.reconciliation import lines

    parts = [text.partition("=") for text in only]
    if not all(equals and name for name, equals, _ in parts):
        raise UsageError(f"--only {' '.join(only)!r} is no COLUMN=VALUE: write --only project_id=proj_1.")
    try:
        found = reconcile(the_run(run, runs_dir), usage, settings_here(), {name: value for name, _, value in parts})
    except UsageError:
        raise
    except RunwatchError as error:
        raise UsageError(error.sentence) from error  # exit code 1 says that they differ
    click.echo(pretty_json(found) if as_json else "\n".join(lines(found)))
    for problem in found.problems:
        click.echo(f"runwatch: {problem}", err=True)
    return 0 if found.agrees else 1
