"""``runwatch show``: one run's summary.

Must not write anything.
"""

from __future__ import annotations

from pathlib import Path

import click

from runwatch.cli.where import the_run


@click.command(epilog="Example: runwatch show @1")
@click.argument("run", required=False)
@click.option("--markdown", is_flag=True, help="summary.md instead of the text.")
@click.option("--json", "as_json", is_flag=True, help="metrics.json instead of the text.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, markdown: bool, as_json: bool, runs_dir: str | None) -> int:
    """Print one run's summary; of a live run, what is known so far. RUN: path, run id, prefix, @1; else the newest."""
    from runwatch.journal.paths import RunPaths

    paths = RunPaths(the_run(run, runs_dir))
    wanted = paths.metrics if as_json else paths.summary_markdown if markdown else paths.summary_text
    click.echo(_text(wanted) or _live(paths.root), nl=False)
    return 0


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def _live(run_dir: Path) -> str:
    """Return the summary of a run that has none yet, folded from its journal now."""
    from runwatch.finalize.publish import summary_of

    return summary_of(run_dir)
