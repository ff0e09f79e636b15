"""``runwatch demo``: a real small workload.

Must not touch the caller's own repository or configuration.
"""

from __future__ import annotations

import click


@click.command(epilog="Example: runwatch demo --headless")
@click.option("--headless", is_flag=True, help="No app: plain lines.")
@click.option(
    "--keep", type=click.Path(), default=None, help="Where the scratch repository goes; else a new temporary folder."
)
def command(headless: bool, keep: str | None) -> int:
    """Record a scripted agent that repairs a small failing package; only its model is a stand-in."""
    from runwatch.demo.play import play

    return play(headless=headless, folder=keep)
