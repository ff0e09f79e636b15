"""What is known of one run's secrets, and the redactor that takes them out of what is published.

Must not say what a secret looks like (`redact`), nor publish anything. Known are the values of this process's
environment, of those of the command's processes, of `.env` files, of command line and scripts; and by their digests
alone those that another process knew (`.secrets.json`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runwatch.finalize.whereabouts import first_event, git_variables
from runwatch.finalize.withholding import withheld
from runwatch.journal.known_secrets import count, remember, remembered
from runwatch.journal.paths import RunPaths
from runwatch.redact.announced import in_arguments, in_env_file, in_script
from runwatch.redact.digests import Digests
from runwatch.redact.environment import secret_values, with_other_cases
from runwatch.redact.redactor import Redactor
from runwatch.sources.secret_files import SecretFiles

MOST_VALUES = 300
"""Each costs a search in every text: a command that hands out more has the others published."""


class Confidential:
    """The secrets of one run. For one thread."""

    def __init__(self, paths: RunPaths, environ: Mapping[str, str], patterns: Iterable[str] = ()) -> None:
        """``patterns`` are the user's. Raises SettingsError for one that is none."""
        self._paths, self._environ = paths, environ
        self._state = self._stored()
        self._recalled: dict[str, Digests] = {}
        """What other processes left, by its salt; what was read once stays known."""
        self.redactor = Redactor(environ, patterns, self._recall())
        self.learned = 0
        """Grows with what is known: what was redacted before is to be redacted again."""
        self.is_lost = False
        """Whether the run remembered more than can be read any more."""
        self._untold: dict[str, str] = {}
        """What the disk has not taken yet."""
        self._files: SecretFiles | None = None
        self._command: list[str] = []

    @property
    def count(self) -> int:
        """How many secrets the run remembers, in all forms."""
        return count(tuple(self._recalled.values()))

    def expect(self, remembered: int) -> None:
        """Hold what can be read against what the journal says was ``remembered``."""
        if remembered > self.count and not self.is_lost:
            self.is_lost = True
            self.learned += 1

    def tree(self, value: Any) -> Any:
        """Return a value made of mappings, lists and plain values as it is published."""
        shown = self.redactor.tree(value)
        return withheld(shown) if self.is_lost else shown

    def note_own(self) -> None:
        """Leave digests of what this process's environment holds, for whoever finalizes the run elsewhere."""
        self._remember(self.redactor.values)

    def meet(self, variables: Iterable[tuple[str, str]]) -> None:
        """Learn what is secret among variables of the command's processes: names, each with its value."""
        found: dict[str, str] = {}
        for name, value in variables:
            found |= secret_values({name: value}, self._environ)
        self._learn(found)

    def look_around(self) -> None:
        """Learn what `.env` files and scripts hold that are new or have changed."""
        _, started = first_event(self._paths)
        if started is None or not started.cwd:
            return
        if self._files is None:
            cwd = Path(started.cwd)
            work_tree = git_variables(started).work_tree(cwd)
            self._files = SecretFiles(cwd, None if work_tree is None else work_tree.top)
        found: dict[str, str] = {}
        command = started.command or ()
        for text in self._files.env_files(command):
            found |= in_env_file(text, self._environ)
        for text in self._files.scripts(command):
            found |= in_script(text, self._environ)
        self._learn(found)

    def look_at_processes(self) -> None:
        """Learn what those hold that the run left behind and no recorder saw."""
        from runwatch.sources import run_processes  # psutil is slow to load, and who only looks needs none
        from runwatch.sources.environments import Environments

        with contextlib.suppress(Exception):  # whatever a system's process table has, a run is finalized
            self.meet(Environments({}).new(run_processes.of_run(self._paths.root)))

    def refresh(self, command: Sequence[str] | None = None) -> None:
        """Learn what a run's command line gives away, and what other processes have left word of since.

        ``command``: without secrets taken out; None: as the journal has it.
        """
        if command is None and not self._command:
            _, started = first_event(self._paths)
            command = None if started is None else started.command
        if command and command != self._command:
            self._command = list(command)
            self._take(in_arguments(command, self._environ))
        if self._untold:
            self._remember({})
        state = self._stored()
        if state != self._state:
            self._state = state
            self.learned += self.redactor.learn({}, self._recall())

    def _learn(self, found: Mapping[str, str]) -> None:
        if new := self._take(found):
            self._remember(new)

    def _take(self, found: Mapping[str, str]) -> Mapping[str, str]:
        room = MOST_VALUES - len(self.redactor.values)
        if not found:
            return {}
        here = self._names()
        new = {
            value: name
            for value, name in found.items()
            if value not in self.redactor.values and value.lower() not in here
        }
        new = dict(list(new.items())[: max(0, room)])
        self.learned += self.redactor.learn(new)
        return new

    def _names(self) -> set[str]:
        """Return words that stand all over a run: a password that is called like its project hides nothing."""
        _, started = first_event(self._paths)
        folders = Path(started.cwd or "").parts[-3:] if started is not None else ()
        return {word.lower() for word in (self._paths.framework, self._paths.run_id, *folders)}

    def _remember(self, values: Mapping[str, str]) -> None:
        self._untold |= values
        with contextlib.suppress(OSError):  # a full disk: known here all the same, and tried again at each flush
            remember(self._paths, with_other_cases(self._untold, self._untold))
            self._untold = {}
            self._recall()

    def _recall(self) -> tuple[Digests, ...]:
        for read in remembered(self._paths):
            known = self._recalled.get(read.salt, Digests(salt=read.salt))
            values = {each.digest: each for each in (*known.values, *read.values)}
            self._recalled[read.salt] = Digests(salt=read.salt, values=tuple(values.values()))
        return tuple(self._recalled.values())

    def _stored(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._paths.secrets, follow_symlinks=False)
        except OSError:
            return None
        return found.st_ino, found.st_size
