"""``runwatch recover``: finalize every run whose owner is gone.

Must not touch a live run.
"""

from __future__ import annotations

import click

from runwatch.cli.where import pretty_json, runs_here, settings_here


@click.command(epilog="Example: runwatch recover")
@click.option("--force", is_flag=True, help="Even runs that another host recorded.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(force: bool, as_json: bool, runs_dir: str | None) -> int:
    """Finalize every run whose owner is gone, commit included; one line a run."""
    from runwatch.finalize.recovery import needs_recovery, recover
    from runwatch.journal.paths import RunPaths
    from runwatch.runs.listing import run_directories

    settings = settings_here()
    waiting = [path for path in run_directories(runs_here(runs_dir)) if needs_recovery(RunPaths(path))]
    results = [recover(path, settings, force=force) for path in sorted(waiting)]
    if as_json:
        click.echo(pretty_json(results))
    else:
        for result in results:
            click.echo("  ".join(part for part in (result.found, result.run, result.status, result.reason) if part))
        if not results:
            click.echo("Nothing to recover: every run here is live or finalized.", err=True)
    return 1 if any(result.found == "failed" for result in results) else 0
