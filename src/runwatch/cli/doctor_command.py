"""``runwatch doctor``: what in this place would keep a run from being recorded or committed.

Must not change anything here.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from runwatch.cli.where import check_look, pretty_json


@click.command(epilog="Example: runwatch doctor. Exit code 1 where a run would not be recorded or committed, else 0.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(as_json: bool, runs_dir: str | None) -> int:
    """Say what in this place would keep a run from being recorded or committed, and what to do about it."""
    from runwatch.record.limits import told_of_processes
    from runwatch.runs.doctor import text
    from runwatch.runs.doctor.examination import examine

    terminal = shutil.get_terminal_size() if sys.stdin.isatty() and sys.stdout.isatty() else None
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    glyphs = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    found = []
    examined = examine(
        Path.cwd(),
        os.environ,
        runs_dir=runs_dir,
        terminal=terminal,
        check_look=check_look,
        check_processes=told_of_processes,
    )
    for each in examined:
        found.append(each)
        if not as_json:
            for line in text.lines(each, color=color, glyphs=glyphs):
                click.echo(line)
    click.echo(pretty_json(found) if as_json else text.verdict(found))
    return 1 if any(each.level == "fault" for each in found) else 0
