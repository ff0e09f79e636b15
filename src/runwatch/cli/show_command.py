"""``runwatch show``: one run's summary.

Must not commit anything: a dead run is recovered up to that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runwatch.cli.where import run_names, settings_here, the_run

if TYPE_CHECKING:
    from runwatch.journal.paths import RunPaths
    from runwatch.runs.standing import Standing

SMALL_BYTES = 64 << 20
"""A dead run's archive is waited for up to this size of its files; that of a larger one is made in the background."""


@click.command(epilog="Example: runwatch show @1")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--markdown", is_flag=True, help="summary.md instead of the text.")
@click.option("--json", "as_json", is_flag=True, help="metrics.json instead of the text.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, markdown: bool, as_json: bool, runs_dir: str | None) -> int:
    """Print one run's summary; of a live run, what is known so far. RUN: path, run id, prefix, @1; else the newest."""
    from runwatch.cli.looking import remark
    from runwatch.finalize.state import load_state
    from runwatch.journal.paths import RunPaths
    from runwatch.runs.standing import standing

    paths = RunPaths(the_run(run, runs_dir))
    now = standing(paths)
    if now.recoverable:
        _recover(paths.root)
        now = standing(paths)
    wanted = paths.metrics if as_json else paths.summary_markdown if markdown else paths.summary_text
    text = _text(wanted)
    if text is None and load_state(paths.finalize_state).complete and (as_json or markdown):
        from runwatch.finalize.publish import document_of

        text = document_of(paths.root, "json" if as_json else "markdown")
    click.echo(text or _known(paths.root, now.status, now.reason), nl=False)
    remark(paths.root, now if text else _unreadable(paths, now))
    return 0


def _recover(run_dir: Path) -> None:
    """Recover status and summary now, and the archive now or in the background."""
    from runwatch.cli.looking import recover_behind
    from runwatch.cli.progress import Progress
    from runwatch.finalize.condition import LOOK, QUICK_LOOK
    from runwatch.runs.recovery import recover_each, size_bytes

    small = size_bytes(run_dir, SMALL_BYTES) < SMALL_BYTES
    progress = Progress()
    for _ in recover_each([run_dir], settings_here(), last=LOOK if small else QUICK_LOOK, on_stage=progress):
        progress.clear()
    if not small:
        recover_behind([run_dir.parent.parent])


def _unreadable(paths: RunPaths, now: Standing) -> Standing:
    """Return the standing with a remark on a journal that holds no event, or is not there."""
    from runwatch.finalize.whereabouts import first_event

    if now.live or now.remark or first_event(paths)[0]:
        return now
    why = "its journal cannot be read" if paths.journal.exists() else "it has no journal here"
    return now._replace(remark=f"{why}: shown is what the files beside it tell")


def _text(path: Path) -> str | None:
    from runwatch.journal.beneath import read_regular

    try:
        return read_regular(path).decode("utf-8", "replace")
    except OSError:
        return None


def _known(run_dir: Path, status: str | None, reason: str | None) -> str:
    """Return the summary of a run that has none yet, folded from its journal now."""
    from runwatch.finalize.publish import summary_of

    return summary_of(run_dir, status=status, reason=reason)
