"""One line on the terminal that says how far long work has come, and goes away when it is done.

Must not appear in a pipe, nor for work that takes a blink.
"""

from __future__ import annotations

import shutil
import sys
import time

import click

from runwatch.units import cut_middle
from runwatch.visible import visible

QUIET_S = 0.5
"""Work that is done by then leaves no line."""
STEP_S = 0.1
"""How often the line changes at the most."""
CLEAR = "\r\x1b[K"


class Progress:
    """Call it with what is at work; ``clear`` takes the line away."""

    def __init__(self, total: int = 1) -> None:
        """``total``: how many things there are to do."""
        self.number, self._total = 1, total
        """``number``: which of them is at work, from 1."""
        self._next = time.monotonic() + QUIET_S
        self._shown = False
        self._enabled = sys.stderr.isatty()

    def __call__(self, run: str, stage: str, done: float) -> None:
        """Say that ``stage`` of ``run`` is at work, ``done`` of it from 0 to 1."""
        now = time.monotonic()
        if not self._enabled or now < self._next:
            return
        self._next, self._shown = now + STEP_S, True
        count = f"{self.number}/{self._total}  " if self._total > 1 else ""
        share = f" {done * 100:.0f} %" if 0 < done < 1 else ""
        text = visible(f"runwatch: {count}{run}  {stage}{share} …")
        click.echo(CLEAR + cut_middle(text, shutil.get_terminal_size().columns - 1), err=True, nl=False)

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._shown:
            click.echo(CLEAR, err=True, nl=False)
            self._shown = False
