"""The machine, the shell and the terminal: limits, parts of the system, what can be shown.

Must not change any of it.
"""

from __future__ import annotations

import importlib.util
import locale
import os
import platform
import resource
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from runwatch.runs.doctor.finding import Finding, fault, note, ok, warning
from runwatch.units import size

LEAST_FILES = 64
"""Recording itself needs some forty descriptors."""
FEW_FILES = 256
SMALLEST = (80, 24)
"""Columns and rows that the app is made for. Source: cli-and-tui.md, "The terminal app"."""
BIG_BYTES = 1 << 30


def look(environ: Mapping[str, str], terminal: os.terminal_size | None) -> Iterator[Finding]:
    """Yield what was found of machine and shell; ``terminal`` is None where there is none."""
    yield ok("Python", f"Python {platform.python_version()} at {sys.executable}")
    yield from _switches(environ)
    yield from _limits()
    yield from _parts()
    yield from _prices()
    yield from _terminal(environ, terminal)


def _switches(environ: Mapping[str, str]) -> Iterator[Finding]:
    if environ.get("RUNWATCH_DISABLE") == "1":
        yield fault("switch", "RUNWATCH_DISABLE is 1: `runwatch run` records nothing", "unset RUNWATCH_DISABLE")
    joined = environ.get("RUNWATCH_RUN_DIR")
    if joined and not Path(joined, "events.jsonl").is_file():
        remedy = "unset RUNWATCH_RUN_DIR"
        yield warning("switch", f"RUNWATCH_RUN_DIR names {joined}, which holds no run: events are lost", remedy)


def _limits() -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else max(soft, FEW_FILES)
    if most < LEAST_FILES:
        yield fault("open files", f"a process may open only {most} files", f"ulimit -n {FEW_FILES}")
    elif most < FEW_FILES:
        yield warning("open files", f"a process may open only {most} files", f"ulimit -n {FEW_FILES}")
    else:
        yield ok(
            "open files", f"a process may open {'any number of' if soft == resource.RLIM_INFINITY else soft} files"
        )
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if largest != resource.RLIM_INFINITY and largest < BIG_BYTES:
        yield warning(
            "file size", f"a file may not grow beyond {size(largest)}: a long log ends there", "ulimit -f unlimited"
        )


def _parts() -> Iterator[Finding]:
    if not hasattr(os, "pidfd_open") or not _has_pidfd():
        yield warning(
            "pidfd",
            "this system has no pidfd: the death of a process is noticed up to a second later",
            "Linux 5.4 or newer",
        )
    if importlib.util.find_spec("isal") is None:
        yield note(
            "archive", "isal is not installed: archives are made with zlib, ten times slower", "pip install isal"
        )


def _has_pidfd() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def _prices() -> Iterator[Finding]:
    from runwatch.pricing import Pricer

    try:
        edition = Pricer({})("openai", "gpt-4o", 1, 1, 0, 0, None).prices
    except ImportError:
        edition = None
    if edition is None:
        yield warning("prices", "there is no price list: what model calls cost is unknown", "pip install genai-prices")
    else:
        library, version, *date = edition.split(" ")
        changed = f", newest price of {date[0]}" if date else ""
        yield ok("prices", f"{library} {version}{changed}")


def _terminal(environ: Mapping[str, str], terminal: os.terminal_size | None) -> Iterator[Finding]:
    if environ.get("CI"):
        yield note("terminal", "CI is set: the app does not open, plain lines are printed")
    if terminal is None:
        yield note("terminal", "there is no terminal here: the app does not open, output passes through")
        return
    columns, rows = terminal
    if environ.get("TERM", "") in ("", "dumb"):
        yield warning("terminal", "TERM says that this terminal can draw nothing", "export TERM=xterm-256color")
    elif columns < SMALLEST[0] or rows < SMALLEST[1]:
        needs = f"{SMALLEST[0]}×{SMALLEST[1]}"
        yield warning("terminal", f"{columns}×{rows} cells are little: the app is made for {needs}", "make it larger")
    else:
        yield ok("terminal", f"{columns}×{rows} cells, {_colors(environ)}")
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") != "utf8":
        yield warning("locale", f"the locale's encoding is {encoding}: glyphs are shown wrong", "export LC_ALL=C.UTF-8")


def _colors(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colors (NO_COLOR)"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "true color"
    return "256 colors" if "256" in environ.get("TERM", "") else "16 colors"
