"""Secrets that a command line, a `.env` file or a script gives away by the names that stand before them.

Must not read a file, nor look for what is found. Of `.env` files no library reads what Docker, direnv, systemd and the
many dotenv libraries take besides each other's: all that one of them would take for the value counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from runwatch.redact.command_lines import announced_arguments
from runwatch.redact.environment import secret_values
from runwatch.redact.rules import VARIED, concerned, is_reference, names_a_secret
from runwatch.secret_names import is_secret_name

_VALUE = r"""(?:'(?P<single>[^']{0,9999})'|"(?P<double>(?:[^"\\]|\\.){0,9999})"|`(?P<back>[^`]{0,9999})`"""
_ASSIGNED = re.compile(
    r"^[ \t]*(?:(?:export|set|Environment)[ \t=]+[\"']?)?(?P<name>[A-Za-z_][\w.-]{0,200})[ \t]*[=:][ \t]*"
    + _VALUE
    + r"|(?P<bare>[^\r\n]*))",
    re.MULTILINE | re.DOTALL,
)
"""**Source**: the README of python-dotenv, "File format"; docs.docker.com, "Syntax for environment files"."""
_IN_SCRIPT = re.compile(
    r"(?:^|[\s;&|({,])(?P<name>[A-Za-z_]\w{0,200})(?:(?P<spaced>[ \t]*)=[ \t]*" + _VALUE + r")"
    r"|=(?P<bare>[^\s'\"`;&|()<>,\[\]{}$]{6,400})(?=[\s;&|)]|\Z))",
    re.MULTILINE,
)
"""**Source**: POSIX, Shell Command Language, 2.9.1; in other languages what is quoted alone."""
_SELDOM = re.compile(r"(?<!api)(?<!(?:api|ess|ret|ate)_)(?:keys?|pat|auth|cookie|dsn)\Z", re.IGNORECASE)
"""How names of programs end that mean something else mostly: what is sorted by, a pattern, a kind of login.

Not so an API_KEY, ACCESS_KEY, SECRET_KEY or PRIVATE_KEY."""
_MADE_UP = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/=_.~-]{16,}")
_CODE = re.compile(r"[\[\](){}<>\s]|%[a-z]")
_COMMENT = re.compile(r"[ \t]#.*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


def in_arguments(arguments: Sequence[str], here: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the secrets of a command line → name of their variable, empty for those that a flag announces.

    Those that are too short, or words of every text, are left out: see `environment`. ``here`` names people and places.
    """
    found: dict[str, str] = {}
    for name, value in announced_arguments(arguments):
        _take(found, name, value, here)
    for argument in arguments:
        found = in_script(argument, here) | found
    return found


def in_env_file(text: str, here: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the secrets of a `.env` file → names of their variables."""
    found: dict[str, str] = {}
    for match in _ASSIGNED.finditer(text):
        for value in _readings(match):
            if not is_reference(value):
                found |= secret_values({match["name"]: value}, here)
    return found


def in_script(text: str, here: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the secrets that stand in a script → names of their variables; names in a program are none."""
    found: dict[str, str] = {}
    for match in _IN_SCRIPT.finditer(text):
        name = match["name"]
        as_in_a_shell = name.isupper() and not match["spaced"]
        if is_secret_name(name) and (as_in_a_shell or match["bare"] is None):
            for value in _readings(match):
                if not is_reference(value) and _is_literal(name, value, as_in_a_shell=as_in_a_shell):
                    _take(found, name, value, here)
    for rule in concerned(text):
        if not rule.is_whole:
            for span in rule.find(text):
                value = text[span.start : span.end]
                if _CODE.search(value) is None and not names_a_secret(value):
                    _take(found, "", value, here)
    return found


def _is_literal(name: str, value: str, *, as_in_a_shell: bool) -> bool:
    """Whether what is assigned is a secret, and no sentence, pattern or other name."""
    if any(map(str.isspace, value)):
        return False
    if _SELDOM.search(name):
        return _MADE_UP.fullmatch(value) is not None
    return as_in_a_shell or (
        _CODE.search(value) is None and (VARIED.search(value) is not None or not names_a_secret(value))
    )


def _take(found: dict[str, str], name: str, value: str, here: Mapping[str, str]) -> None:
    for secret in secret_values({name if is_secret_name(name) else "PASSWORD": value}, here):
        found.setdefault(secret, name)


def _readings(match: re.Match[str]) -> Iterator[str]:
    """Yield what the value of an assignment is, by whoever reads it."""
    for quoted in ("single", "back"):
        if match[quoted] is not None:
            yield match[quoted]
    if (double := match["double"]) is not None:
        yield double
        if "\\" in double:
            yield _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), double)
    if (bare := match["bare"]) is not None:
        yield bare.strip()
        if "#" in bare:
            yield _COMMENT.sub("", bare).strip()
