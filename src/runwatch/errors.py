"""The error tree: every failure that a person may see, each with its sentence and its exit code.

Must not print, format for a terminal or import anything of runwatch.

    RunwatchError            1   anything below
    ├── UsageError           2   wrong flags, arguments or values
    │   ├── BadName          2   a framework, run id or component that cannot be a file name
    │   └── SettingsError    2   a configuration file, variable or theme with a bad value
    ├── NotFound             1   no such run, step, file
    ├── RunBusy              1   another process owns what is asked for
    ├── RecordError          1   the run directory cannot be created or written
    ├── VerifyError          1   an archive that does not hold what it says
    └── CommitError          1   git cannot take the commit now
"""

from __future__ import annotations


class RunwatchError(Exception):
    """A failure told in one sentence: what, where, and what to do about it."""

    exit_code = 1

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class UsageError(RunwatchError):
    """The caller asked for something that cannot be meant."""

    exit_code = 2


class BadName(UsageError):
    """A framework, run id or component that is not safe as a file name."""


class SettingsError(UsageError):
    """A setting, from whatever source, whose key or value is wrong."""


class NotFound(RunwatchError):
    """What was named does not exist."""


class RunBusy(RunwatchError):
    """Another process holds the run or its finalizer."""


class RecordError(RunwatchError):
    """The run directory or its journal cannot be written."""


class VerifyError(RunwatchError):
    """An archive, or a member of it, differs from what was recorded."""


class CommitError(RunwatchError):
    """The repository cannot take the summaries now; the sentence says when it can."""
