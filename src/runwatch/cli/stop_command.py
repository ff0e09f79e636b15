"""``runwatch stop``: ask a live run to stop.

Must not kill anything itself: the run's owner does.
"""

from __future__ import annotations

import click

from runwatch.cli.where import run_names, the_run
from runwatch.errors import NotFound, RunBusy


@click.command(epilog="Example: runwatch stop @1")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--grace", type=float, help="Seconds until SIGKILL; else as configured.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, grace: float | None, runs_dir: str | None) -> int:
    """Ask a live run to stop: SIGTERM, then SIGKILL. RUN: path, run id, prefix, @1; else the newest."""
    import os
    import signal

    from runwatch.finalize.condition import condition
    from runwatch.journal.control import request
    from runwatch.journal.lock import Role, holders, noted
    from runwatch.journal.paths import RunPaths
    from runwatch.journal.process_mark import marked

    paths = RunPaths(the_run(run, runs_dir))
    held = holders(paths.lock)
    if not held:
        was = condition(paths)
        if was.found == "elsewhere":
            raise NotFound(f"The run {paths.run_id} cannot be reached from here: {was.reason}.")
        if was.found != "live":
            raise NotFound(f"The run {paths.run_id} is not live: `runwatch show {paths.run_id}` tells how it ended.")
    reply = request(paths.control, {"op": "stop", "by": "runwatch stop", "grace_s": grace}, timeout_s=2.0)
    if reply is None:
        owner = held.get(Role.OWNER)
        if owner is None and Role.STARTER in held:  # its guardian lives: the program dropped its own lock unawares
            owner = marked(noted(paths.lock))
        if not owner:
            raise RunBusy(f"The run {paths.run_id} is being finalized: `runwatch wait {paths.run_id}` waits for that.")
        os.kill(owner, signal.SIGTERM)  # a program that records itself with the SDK
    click.echo(f"runwatch: asked {paths.framework}/{paths.run_id} to stop.", err=True)
    return 0
