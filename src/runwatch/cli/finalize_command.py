"""``runwatch finalize``: finalize one run, commit included.

Must not touch a run whose owner is alive.
"""

from __future__ import annotations

import click

from runwatch.cli.where import pretty_json, run_names, settings_here, the_run
from runwatch.errors import RunBusy


@click.command(epilog="Example: runwatch finalize 20261020-142345-abc123 --from commit")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--from", "first", help="Repeat this stage and all after it.")
@click.option("--json", "as_json", is_flag=True, help="What was done, as JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, first: str | None, as_json: bool, runs_dir: str | None) -> int:
    """Do what is left of a run's finalizing, commit included. RUN: path, run id, prefix, @1; else the newest."""
    from runwatch.errors import UsageError
    from runwatch.finalize import stages
    from runwatch.finalize.condition import check_writable, condition
    from runwatch.finalize.publish import closing_lines
    from runwatch.finalize.state import STAGES, load_state
    from runwatch.journal.lock import is_live
    from runwatch.journal.paths import RunPaths

    if first is not None and first not in STAGES:
        from difflib import get_close_matches

        near = get_close_matches(first, STAGES, 1, 0.0)[0]
        raise UsageError(f"There is no stage {first!r}; the nearest is {near}, all are {', '.join(STAGES)}.")
    paths = RunPaths(the_run(run, runs_dir))
    if is_live(paths.lock):
        raise RunBusy(f"The run {paths.run_id} goes on: `runwatch stop {paths.run_id}` stops it.")
    was = condition(paths)
    if was.found in ("live", "elsewhere", "newer") or (
        was.found == "broken" and load_state(paths.finalize_state).outcome is None
    ):
        raise RunBusy(f"The run {paths.run_id} is left alone: {was.reason}.")
    check_writable(paths)
    state = stages.run(paths.root, settings_here(), first=first)
    failed = [stage for stage in state.stages.values() if not stage.done]
    if as_json:
        click.echo(pretty_json(state))
    else:
        for line in closing_lines(paths):
            click.echo(line)
    return 1 if failed else 0
