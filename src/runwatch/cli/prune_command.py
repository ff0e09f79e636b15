"""``runwatch prune``: delete the runs and archives that the limits do not keep.

Must not ask: ``--dry-run`` shows.
"""

from __future__ import annotations

import click

from runwatch.cli.where import pretty_json, runs_here, settings_here


@click.command(
    epilog="Example: runwatch prune --max-runs 100 --max-age 30 --dry-run. Exit code 1 where something should be gone "
    "and is not, else 0."
)
@click.option("--max-runs", type=click.IntRange(min=1), help="Keep the newest so many.")
@click.option("--max-age", type=click.FloatRange(min=0, min_open=True), metavar="DAYS", help="Keep up to this age.")
@click.option("--dry-run", is_flag=True, help="Touch nothing, only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(max_runs: int | None, max_age: float | None, dry_run: bool, as_json: bool, runs_dir: str | None) -> int:
    """Delete what the limits do not keep: those given here, else those below [retention].

    A run goes that is beyond any limit. Never a live run, one that is not finalized, or a file that git tracks.
    """
    import msgspec

    from runwatch.runs import retention_text
    from runwatch.runs.retention import RetentionPolicy
    from runwatch.visible import visible

    settings = settings_here({"run.runs_dir": runs_dir})
    done = RetentionPolicy(max_runs, max_age).with_settings(settings).prune(runs_here(runs_dir), dry_run=dry_run)
    if as_json:
        click.echo(pretty_json({**msgspec.to_builtins(done), "freed_bytes": done.freed_bytes}))
    else:
        for line in retention_text.lines(done):
            click.echo(visible(line))
    return 1 if any(each.problem for each in done.pruned) else 0
