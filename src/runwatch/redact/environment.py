"""Which values of an environment are secrets, by the names of their variables, and the forms they appear in.

Must not look for them. The rule, in words: a value counts when its variable is named like a secret (`DB_PASSWORD`,
`OPENAI_API_KEY`, `lowercase_token`; not `MAX_TOKENS`, `TOKEN_FILE`) or when it holds a URL with a password. It does not
count when it is shorter than 6 characters, or shorter than 8 without both letters and something else; when it is a word
of every log (`postgres`, `production`), one character repeated, a date, the name of the user, the host or the home
folder, or a path that exists. Up to 15 characters it is taken out where it stands alone, longer ones anywhere.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

from runwatch.redact.rules import VARIED, words
from runwatch.secret_names import URL_PASSWORD, is_secret_name

SHORTEST = 6
"""Characters; a shorter value is too likely to be a word of the text."""
_SHORTEST_WORD = 8
"""The same for one of letters alone, or of digits alone."""
BOUNDED_BELOW = 16
"""A value shorter than this is only taken for the secret where it stands alone."""
_SHORTEST_BASE64 = 10
_SHORTEST_CASED = 12
"""Characters; a shorter value is not looked for in capitals or small letters, where it may be a word of the text."""
_WORD, _APART = re.compile(r"[^\W\d_]*|\d*"), re.compile(r"[-_.:/,\s]+")
"""Nor is one of words and numbers alone, such as the name of a machine."""

_PEOPLE_AND_PLACES = ("USER", "LOGNAME", "USERNAME", "HOSTNAME", "HOST", "HOME")


def secret_values(environ: Mapping[str, str], here: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what must not get out of an environment: each value, or line of one with several → its variable.

    ``here`` is the environment that names people and places, where ``environ`` is only a part of one.
    """
    found: dict[str, str] = {}
    known = _people_and_places(environ if here is None else here)
    common = words()["common_values"]
    for name in sorted(environ):
        value = environ[name].strip()
        if not (is_secret_name(name) and is_secret_value(name, value)):
            in_url = URL_PASSWORD.search(value)
            value = in_url[1] if in_url and len(in_url[1]) >= _SHORTEST_WORD else ""
        if value and value.lower() not in common and value not in known:
            shown = name.encode("utf-8", "backslashreplace").decode()
            found.setdefault(value, shown)
            for line in map(str.strip, value.splitlines()):
                if len(line) >= BOUNDED_BELOW:
                    found.setdefault(line, shown)
    return found


def secret_forms(values: Mapping[str, str]) -> dict[str, str]:
    """Return each value in the forms that no decoding of the text around it would undo → name of its variable."""
    found: dict[str, str] = {}
    for value, name in values.items():
        quoted = (call(value, safe="", errors="surrogateescape") for call in (quote, quote_plus))
        for form in (value, *quoted, *_in_base64(value)):
            found.setdefault(form, name)
    return with_other_cases(found, values)


def with_other_cases(found: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Return what was found and, behind it, long values that are no words in capitals and in small letters."""
    forms = dict(found)
    for value, name in values.items():
        if len(value) >= _SHORTEST_CASED and not all(map(_WORD.fullmatch, _APART.split(value))):
            for form in (value.upper(), value.lower()):
                forms.setdefault(form, name)
    return forms


def hex_forms(values: Mapping[str, str]) -> dict[str, str]:
    """Return each value in hexadecimal digits, small ones → name of its variable."""
    return {value.encode("utf-8", "surrogateescape").hex(): name for value, name in values.items()}


def is_secret_value(name: str, value: str) -> bool:
    """Whether a value hides anything, under a name that announces a secret."""
    if len(value) < SHORTEST or len(set(value)) == 1:
        return False
    if len(value) < _SHORTEST_WORD and (value.isalpha() or value.isdigit()):
        return False
    if value.isdigit() and value.startswith(("19", "20")):
        return False  # a time or a date, which would tear holes into every run id
    if value[0] in "/~." and os.path.exists(os.path.expanduser(value)):
        return False
    # A bare KEY also names what is sorted or cached by: only what no word looks like is a secret then.
    upper = name.upper()
    return (
        not upper.endswith(("KEY", "KEYS"))
        or "API" in upper
        or len(value) > BOUNDED_BELOW
        or VARIED.search(value) is not None
    )


def _people_and_places(environ: Mapping[str, str]) -> frozenset[str]:
    values = [environ[name] for name in _PEOPLE_AND_PLACES if environ.get(name)]
    return frozenset([*values, *(os.path.basename(value) for value in values)])


def _in_base64(value: str) -> Iterator[str]:
    """Yield what is the same in every base64 text that holds the value, wherever in it the value begins.

    **Source**: actions/runner, ValueEncoders.cs: a character depends on its neighbors, so the outer ones are left out.
    """
    data = value.encode("utf-8", "surrogateescape")
    for before in range(3):
        shifted = base64.b64encode(b"\0" * before + data).decode()
        whole_end = (before + len(data)) * 8 // 6
        inner = shifted[-(-before * 8 // 6) : whole_end]
        if len(inner) >= _SHORTEST_BASE64:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
