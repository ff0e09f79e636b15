"""``runwatch step``: the next step, from a shell script.

Must not close a step that an SDK program opened.
"""

from __future__ import annotations

import click

from runwatch.cli.emit_command import run_at_hand, tell_own_secrets


@click.command(epilog='Example: runwatch step "install dependencies"')
@click.argument("name")
@click.option("--run", "reference", help="The run; else the one that this process belongs to.")
def command(name: str, reference: str | None) -> int:
    """Close the step that the last `runwatch step` opened, and open the next one."""
    from runwatch.journal.control import request
    from runwatch.journal.paths import RunPaths
    from runwatch.journal.steps import read_steps
    from runwatch.journal.writer import EventWriter

    paths = RunPaths(run_at_hand(reference))
    tell_own_secrets(paths)
    reply = request(paths.control, {"op": "step", "name": name, "source": "shell"})
    if reply is not None and reply.get("ok"):
        number, closes = reply["step"], reply.get("closes")
    else:  # a program that records itself has no supervisor: its journal knows
        steps = read_steps(paths.journal)
        number, closes = steps.last + 1, steps.last_open("shell")
    writer = EventWriter(paths)
    if closes is not None:
        writer.emit("step.completed", step=closes, status="success")
    writer.emit("step.started", step=number, name=name, source="shell")
    writer.close()
    return 0
