"""``runwatch ls``: the newest runs.

Must not wait for anything: what is dead is recovered in the background.
"""

from __future__ import annotations

import os
import shutil
import sys

import click

from runwatch.cli.where import check_readable, pretty_json, runs_here


@click.command(epilog="Example: runwatch ls --limit 5 --json")
@click.option("--limit", default=20, show_default=True, help="How many.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(limit: int, everything: bool, as_json: bool, runs_dir: str | None) -> int:
    """List the newest runs, live ones first. Dead ones are recovered in the background, all but their commit."""
    from runwatch.cli.looking import look_after
    from runwatch.runs.listing import runs
    from runwatch.views import listing

    root = runs_here(runs_dir)
    check_readable(root)
    found = runs(root) if everything else runs(root)[:limit]
    rows = [each.row for each in found]
    if as_json:
        click.echo(
            pretty_json(
                [row | {"path": str(each.path)} for row, each in zip(listing.json_rows(rows), found, strict=True)]
            )
        )
    elif not found:
        click.echo(f"No runs below {root}: `runwatch run -- CMD` records one.", err=True)
        return 1
    else:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        table = listing.table(rows, width=width, color=terminal and not os.environ.get("NO_COLOR"))
        click.echo(table, nl=False)
    look_after(each.path for each in found)
    return 0
