"""The ground every test stands on: a home, a git identity and an environment that are the same on every machine.

Must not import runwatch or Textual: both read the environment, which is not ready before this file has run.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings

_HOME = Path(tempfile.mkdtemp(prefix="runwatch-tests-home-"))

_FOREIGN = ("RUNWATCH_", "GIT_", "LLM_", "OTEL_", "XDG_", "GITHUB_", "GITLAB_", "CI_", "PYTEST_ADDOPTS")
"""Beginnings of the names of variables that would leak the machine's own set-up into a test."""

_OUT_OF_PLACE = ("CI", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM", "PAGER", "EDITOR", "TMUX")

_GITCONFIG = """\
[user]
\tname = A Tester
\temail = tester@example.invalid
[init]
\tdefaultBranch = main
[advice]
\tdetachedHead = false
"""


def _isolate() -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in _OUT_OF_PLACE:
            del os.environ[name]
    # The identity lies in the home and not behind GIT_CONFIG_GLOBAL: what runwatch starts drops every GIT_ variable.
    (_HOME / ".gitconfig").write_text(_GITCONFIG, encoding="utf-8")
    os.environ.update(
        HOME=str(_HOME),
        XDG_CONFIG_HOME=str(_HOME / ".config"),
        XDG_CACHE_HOME=str(_HOME / ".cache"),
        XDG_DATA_HOME=str(_HOME / ".local" / "share"),
        XDG_STATE_HOME=str(_HOME / ".local" / "state"),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        LC_ALL="C.UTF-8",
        TERM="xterm-256color",
        TEXTUAL_ANIMATIONS="none",
        TZ="UTC",
    )
    time.tzset()


def _hear() -> None:
    """Take back what a shell's background or ``nohup`` made this process ignore: children would inherit it."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


_isolate()
_hear()

# How fast an example is says more about the machine and its other tenants than about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_unconfigure() -> None:
    """Take the home away; each worker of pytest-xdist has its own."""
    shutil.rmtree(_HOME, ignore_errors=True)
