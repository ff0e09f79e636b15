"""``runwatch recover``: finalize every run whose owner is gone.

Must not touch a live run.
"""

from __future__ import annotations

import click

from runwatch.cli.where import check_readable, pretty_json, runs_here, settings_here


@click.command(
    epilog="Example: runwatch recover. Exit code 1 where something could not be finalized or committed, else 0."
)
@click.option("--force", is_flag=True, help="Even runs that another host recorded.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(force: bool, as_json: bool, runs_dir: str | None) -> int:
    """Finalize every run whose owner is gone, commit included, and commit what could not be before; one line a run."""
    from runwatch.cli.progress import Progress
    from runwatch.journal import spare
    from runwatch.runs import recovery, recovery_text
    from runwatch.visible import visible

    settings, root = settings_here({"run.runs_dir": runs_dir}), runs_here(runs_dir)
    check_readable(root)
    spare.sweep()  # what memory keeps for runs that are no more
    found = recovery.survey(root, settings, force=force)
    progress = Progress(len(found))
    results = []
    for result in recovery.recover_each(found, settings, force=force, on_stage=progress):
        results.append(result)
        progress.number += 1
        progress.clear()
        if not as_json:
            for line in recovery_text.lines(result):
                click.echo(visible(line))
    if as_json:
        click.echo(pretty_json(results))
    elif not results:
        click.echo(f"Nothing to recover below {root}: every run is live or finalized.", err=True)
    return 1 if any(result.done == "failed" or result.problems for result in results) else 0
