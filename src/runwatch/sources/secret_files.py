"""The files from which a command may take secrets: `.env` and its kin where it starts, and the scripts that it names.

Must not say what of them is a secret, follow a link out of the place, or wait for a pipe.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from runwatch.journal.beneath import open_regular

MOST_BYTES = 1 << 16
"""Of one file."""
_MOST_FILES = 32
_MOST_ENTRIES = 10_000
"""Names of a folder that are looked at; of a larger one the usual names alone are sure to be found."""
_LONGEST_PATH = 4096
_USUAL = (".env", ".env.local", ".env.development", ".env.production", ".env.test", ".envrc")
_KIND = re.compile(r"(?:[^.].*)?\.env\Z|\.env(?:\..+|rc)\Z")
_EXAMPLE = re.compile(r"\.(?:examples?|samples?|templates?|dist|tpl|defaults?)\b", re.I)
"""Those are committed, with words in them that stand for secrets."""
_SOURCED = re.compile(
    r"(?:^|[;&|({\n]|\b(?:then|do|else))[ \t]*(?:\.|source)[ \t]+"
    r"(?:'(?P<single>[^'\n]{1,4095})'|\"(?P<double>[^\"$`\n]{1,4095})\"|(?P<bare>[^\s;&|()<>'\"$`]{1,4095}))"
)
"""**Source**: POSIX, Shell Command Language, 2.14, "dot"; `source` is bash's name for it."""
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LONGEST_TEXT = 1 << 16


class SecretFiles:
    """The files of one place; each is read again only when it has changed."""

    def __init__(self, cwd: Path, top: Path | None) -> None:
        """``cwd`` is where the command started, ``top`` that of its work tree, if it is in one."""
        self._cwd = cwd
        self._folders = list(dict.fromkeys([cwd, *([] if top is None else [top])]))
        self._within = os.path.join(os.path.realpath(cwd if top is None else top), "")
        self._read: dict[str, tuple[int, int, int]] = {}
        """File to inode, length and time of what was read of it."""

    def env_files(self, arguments: Sequence[str] = ()) -> Iterator[str]:
        """Yield the text of each `.env` file, of those too that a command line names, that is new or has changed."""
        for folder in self._folders:
            for name in islice(_names(folder), _MOST_FILES):
                path = os.path.realpath(folder / name)
                if path.startswith(self._within) and (text := self._text(path)):
                    yield text
        for named in self._named(arguments):
            if _KIND.match(named.name) and (text := self._text(named)):
                yield text

    def scripts(self, arguments: Sequence[str]) -> Iterator[str]:
        """Yield the text of each other file that a command line names and that is new or has changed."""
        for path in self._named(arguments):
            if not _KIND.match(path.name) and (text := self._text(path)):
                yield text

    def _named(self, arguments: Sequence[str]) -> Iterator[Path]:
        before = ""
        for argument in arguments[:_MOST_FILES]:
            if before == "-m" and _MODULE.fullmatch(argument):  # a program of Python's
                module = self._cwd.joinpath(*argument.split("."))
                yield from (module.with_name(f"{module.name}.py"), module / "__main__.py")
            for match in islice(_SOURCED.finditer(argument[:_LONGEST_TEXT]), _MOST_FILES):
                yield self._cwd / (match["single"] or match["double"] or match["bare"])
            before = argument
            for name in (argument, argument.partition("=")[2] if argument.startswith("-") else ""):
                if 0 < len(name) < _LONGEST_PATH and "\n" not in name:
                    yield self._cwd / name

    def _text(self, path: Path | str) -> str:
        """Return the beginning of a text file; empty where there is none, and of one that was read before."""
        try:
            real = os.path.realpath(path)
            found = os.stat(real)
            if not stat.S_ISREG(found.st_mode):
                return ""  # before it is opened: some devices take that for a command
            state = found.st_ino, found.st_size, found.st_mtime_ns
            if self._read.get(real) == state:
                return ""
            with open(open_regular(real), "rb") as file:
                data = file.read(MOST_BYTES)
        except (OSError, ValueError):
            return ""
        self._read[real] = state
        return "" if b"\0" in data else data.decode("utf-8", "surrogateescape")


def _names(folder: Path) -> Iterator[str]:
    names = dict.fromkeys(_USUAL)
    try:
        with os.scandir(folder) as entries:
            found = (entry.name for entry in islice(entries, _MOST_ENTRIES))
            names |= dict.fromkeys(sorted(filter(_KIND.match, found)))
    except OSError:
        pass  # gone, or not ours to read
    return (name for name in names if not _EXAMPLE.search(name))
