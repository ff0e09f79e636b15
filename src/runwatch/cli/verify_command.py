"""``runwatch verify``: check an archive.

Must not write anything.
"""

from __future__ import annotations

import click

from runwatch.cli.where import the_run
from runwatch.errors import NotFound, VerifyError


@click.command(epilog="Example: runwatch verify @1")
@click.argument("run", required=False)
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, runs_dir: str | None) -> int:
    """Read a run's archive in full and hold it against its recorded hash and its own listing."""
    import hashlib

    from runwatch.finalize import archive
    from runwatch.finalize.archive_read import opened
    from runwatch.finalize.archiving import way_back
    from runwatch.finalize.state import load_state
    from runwatch.journal.paths import RunPaths

    paths = RunPaths(the_run(run, runs_dir))
    recorded = load_state(paths.finalize_state).archive
    if not paths.archive.is_file():
        raise NotFound(f"{paths.archive} does not exist: {way_back(paths, recorded)}.")
    with opened(paths.archive) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a raw file, which it takes
    if recorded is not None and recorded.sha256 != digest:
        raise VerifyError(
            f"{paths.archive} has SHA-256 {digest}, but {recorded.sha256} was recorded: {way_back(paths, recorded)}."
        )
    report = archive.verify(paths.archive)
    click.echo(f"{paths.archive}: {report.members} members agree with the listing, SHA-256 {digest}")
    return 0
