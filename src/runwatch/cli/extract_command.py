"""``runwatch extract``: get files back from an archive.

Must not write outside the target folder.
"""

from __future__ import annotations

from pathlib import Path

import click

from runwatch.cli.where import the_run
from runwatch.errors import NotFound


@click.command(epilog="Example: runwatch extract @1 'logs/step_003/*' --to /tmp/logs")
@click.argument("run")
@click.argument("patterns", nargs=-1, metavar="[PATH]...")
@click.option("--to", "target", type=click.Path(path_type=Path), default=Path(), help="Where to; else here.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str, patterns: tuple[str, ...], target: Path, runs_dir: str | None) -> int:
    """Get a run's files, or those that fit PATH, back from its archive."""
    from runwatch.finalize import archive, archiving
    from runwatch.finalize.state import load_state
    from runwatch.journal.paths import RunPaths

    paths = RunPaths(the_run(run, runs_dir))
    if not paths.archive.is_file():
        way = archiving.way_back(paths, load_state(paths.finalize_state).archive)
        raise NotFound(f"{paths.archive} does not exist: {way}.")
    for path in archive.extract(paths.archive, target, patterns):
        click.echo(path)
    return 0
