"""Which names of variables, keys and flags announce a secret, and which variables of an environment may hold one.

Must not import more than `re`: a program's own process asks this, and mostly finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ENDINGS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "CREDENTIAL", "CREDENTIALS")
"""How the last word of a variable's name ends when its value is a secret; MAX_TOKENS counts and hides nothing."""
_LAST_WORDS = frozenset({"PASS", "SSHPASS", "PWD", "PW", "PAT", "JWT", "COOKIE", "DSN", "AUTH", "KEY", "KEYS"})
_WORDS = frozenset({"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY"})
"""Wherever they stand in the name."""
_ABOUT_A_SECRET = frozenset(
    {
        "ALGORITHM", "COUNT", "DIR", "ENABLED", "ENDPOINT", "EXPIRY", "FILE", "FOLDER", "HOST", "ID", "LENGTH", "LIMIT",
        "METHOD", "NAME", "PATH", "PORT", "REGION", "SIZE", "SOCK", "TIMEOUT", "TTL", "TYPE", "URI", "URL", "USER",
        "VERSION",
    }
)  # fmt: skip
"""Last words of names that say something about a secret: SECRET_NAME, TOKEN_FILE, SSH_AUTH_SOCK."""
_FOLDERS = frozenset({"PWD", "OLDPWD"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
URL_PASSWORD = re.compile(r"://[^/?#@:\s]*:([^/?#@\s]+)@")
"""The password in an address. **Source**: RFC 3986, section 3.2.1."""


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name, of a variable or a key, is a secret."""
    parts = _HUMP.sub("_", name).upper().replace("-", "_").split("_")
    if name.upper() in _FOLDERS or parts[-1] in _ABOUT_A_SECRET:
        return False
    return (
        parts[-1].endswith(_ENDINGS)
        or parts[-1] in _LAST_WORDS
        or not _WORDS.isdisjoint(parts)
        or "API_KEY" in "_".join(parts)
    )


def announced(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are named like a secret or hold a URL with a password; not all of them are one."""
    return {
        name: value
        for name, value in environ.items()
        if value and (("://" in value and URL_PASSWORD.search(value)) or is_secret_name(name))
    }
