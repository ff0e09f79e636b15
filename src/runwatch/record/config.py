"""What a supervisor is told when it starts: the settings that it needs, as one argument.

Must stay quick to import. The command itself follows ``--`` so that its bytes stay what they are.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class SupervisorConfig(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """Options of one recorded command."""

    mode: Literal["pipe", "pty"] = "pipe"
    """What the command's stdout and stderr are."""
    pass_through: bool = True
    """Whether the output goes on to ours; not under the app."""
    own_session: bool = False
    """Under the app and detached: the command and the supervisor have no terminal."""
    null_stdin: bool = False
    """The command's standard input is /dev/null."""
    unbuffer: bool = False
    """Set PYTHONUNBUFFERED for the command."""
    quiet: bool = False
    """No lines of runwatch's own on stderr."""
    marker_pattern: str | None = None
    """The user's own step marker, a regular expression."""
    marker_where: str | None = None
    """Where it is set: file and line, or a variable."""
    max_file_bytes: int | None = None
    """A log past it goes on in another file."""
    grace_person_s: float = 10.0
    """From a person's Ctrl-C or stop to SIGKILL."""
    grace_signal_s: float = 4.0
    """From a polite signal from outside to SIGKILL."""
    lock_fd: int = -1
    """Descriptor that holds the run until the supervisor owns it; -1: none."""
    rows: int = 0
    """Height of the terminal, for pseudo-terminals."""
    columns: int = 0
    """Width of the terminal, for pseudo-terminals."""
