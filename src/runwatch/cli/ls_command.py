"""``runwatch ls``: the newest runs.

Must not write anything.
"""

from __future__ import annotations

import click

from runwatch.cli.where import runs_here


@click.command(epilog="Example: runwatch ls --limit 5 --json")
@click.option("--limit", default=20, show_default=True, help="How many.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(limit: int, everything: bool, as_json: bool, runs_dir: str | None) -> int:
    """List the newest runs, live ones first."""
    from runwatch.runs.listing import rows

    root = runs_here(runs_dir)
    found = rows(root) if everything else rows(root)[:limit]
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return 0
    if not found:
        click.echo(f"No runs below {root}: `runwatch run -- CMD` records one.", err=True)
        return 1
    from runwatch.views.listing import table

    click.echo(table(found))
    return 0
