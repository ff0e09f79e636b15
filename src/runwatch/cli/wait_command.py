"""``runwatch wait``: wait for a run's end.

Must not write anything.
"""

from __future__ import annotations

import os
import time

import click

from runwatch.cli.where import run_names, the_run

POLL_S = 0.1


@click.command(epilog="Example: runwatch wait @1; echo $?")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, runs_dir: str | None) -> int:
    """Wait for a run's end and return its command's exit code; 128+n where signal n ended it, 1 where nobody knows."""
    from runwatch.finalize.condition import condition
    from runwatch.finalize.state import load_state
    from runwatch.journal.held import HeldDirectory
    from runwatch.journal.lock import is_live
    from runwatch.journal.paths import RunPaths

    held = HeldDirectory(the_run(run, runs_dir))
    paths = RunPaths(held.where())
    while (
        is_live(paths.lock)
        or held.where() != paths.root  # it was renamed meanwhile
        or (not os.path.lexists(paths.lock) and condition(paths).found == "live")  # somebody deleted the lock
    ):
        time.sleep(POLL_S)
        paths = RunPaths(held.where())
    outcome = load_state(paths.finalize_state).outcome
    if outcome is None:
        was = condition(paths)
        ended = "crashed and nobody knows its code: `runwatch recover` finalizes it"
        told = f"cannot be waited for: {was.reason}" if was.found in ("elsewhere", "newer", "broken") else ended
        click.echo(f"runwatch: {paths.run_id} {told}.", err=True)
        return 1
    return shell_code(outcome.exit_code, outcome.signal)


def shell_code(exit_code: int | None, signal_name: str | None) -> int:
    """Return the code that a shell gives for how a command ended; 1 where nobody knows."""
    import signal

    if signal_name and hasattr(signal, signal_name):
        return 128 + int(getattr(signal, signal_name))
    return 1 if exit_code is None else exit_code
