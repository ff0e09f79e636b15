"""Secrets taken out of text before it is published: known shapes, values of the environment, patterns of the user's.

Must not read files but its own rules, and must not decide what is published. What a secret looks like is data:
`redact_rules.toml`.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import quote

from runwatch.errors import SettingsError

_MARK = "[redacted:"

_SHORTEST_VALUE = 8
"""Characters; a shorter value of a variable is too likely to be a word of the text."""
_BOUNDED_BELOW = 16
"""A value shorter than this is only taken for the secret where it stands alone."""

_SECRET_ENDINGS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "CREDENTIAL", "CREDENTIALS")
"""How the last word of a variable's name ends when its value is a secret; MAX_TOKENS counts and hides nothing."""
_SECRET_LAST_WORDS = frozenset({"PASS", "SSHPASS", "PWD", "PW", "PAT", "JWT", "COOKIE", "DSN", "AUTH", "KEY", "KEYS"})
_SECRET_WORDS = frozenset({"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY"})
"""Wherever they stand in the name."""
_ABOUT_A_SECRET = frozenset(
    {"ALGORITHM", "COUNT", "DIR", "ENABLED", "ENDPOINT", "EXPIRY", "FILE", "FOLDER", "HOST", "ID", "LENGTH", "LIMIT"}
    | {
        "METHOD",
        "NAME",
        "PATH",
        "PORT",
        "REGION",
        "SIZE",
        "SOCK",
        "TIMEOUT",
        "TTL",
        "TYPE",
        "URI",
        "URL",
        "USER",
        "VERSION",
    }
)
"""Last words that name something about a secret: SECRET_NAME, TOKEN_FILE, SSH_AUTH_SOCK."""
_FOLDERS = frozenset({"PWD", "OLDPWD"})

_COMMON_VALUES = frozenset(
    {"changeme", "changeit", "password", "passw0rd", "postgres", "postgresql", "required", "optional", "disabled"}
    | {"enabled", "undefined", "anonymous", "localhost", "username", "development", "production"}
)
"""Values that are words of every log: to take them out would hurt the text and hide nothing."""

_REFERENCE = re.compile(
    r"\$\{.*|\$\(.*|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|<[^>]*>?|\{\{.*"
    r"|(?:os|env|process|self|cls|config|cfg|settings|args|opts|options|secrets|vars|ctx|request|data)[.\[].*"
    r"|[A-Za-z_]{1,24}(?:\.[A-Za-z_]{1,24})+"
    r"|(?:none|null|true|false|undefined|redacted|changeme)|(?:your|example)[-_ ].*|(.)\1*"
    r"|[~.]{0,2}/(?:[\w.-]+/)+[\w.-]*",
    re.IGNORECASE,
)
"""What stands where a secret could: a variable, a name in a program, a blank to fill in, a path."""
_VARIED = re.compile(r"[0-9!@#$%^&*+=~?|]")

_URL_PASSWORD = re.compile(r"://[^/?#@:\s]*:([^/?#@\s]+)@")
_FLAG = re.compile(
    r"--?(?:[a-z0-9]+[-_])*(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|credentials?)$", re.I
)


class Rule:
    """One shape of a secret; its expression is compiled when a text first has one of its keywords."""

    def __init__(
        self,
        id: str,
        regex: str,
        keywords: Sequence[str] = (),
        min_entropy: float = 0.0,
        varied: bool = False,
        source: str = "",
    ) -> None:
        self.id = id
        """What stands in place of the secret."""
        self.regex = regex
        """Its group `secret` or `quoted` is replaced, or the whole match."""
        self.keywords = tuple(keywords)
        """Lower case; without one of them in the text there is nothing to find."""
        self.min_entropy = min_entropy
        """Bits per character."""
        self.varied = varied
        """The secret holds a digit or a symbol."""
        self.source = source
        """Where the shape is written down."""
        self._compiled: re.Pattern[str] | None = None

    def apply(self, text: str) -> str:
        """Return the text without such secrets."""
        if self._compiled is None:
            self._compiled = re.compile(self.regex, re.MULTILINE)
        return self._compiled.sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        group: str | int = next((name for name, value in match.groupdict().items() if value is not None), 0)
        secret, whole = match[group], match[0]
        if not secret or not self._convinces(secret):
            return whole
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return f"{whole[:start]}{_MARK}{self.id}]{whole[end:]}"

    def _convinces(self, secret: str) -> bool:
        if _MARK in secret or _REFERENCE.fullmatch(secret):
            return False
        return (not self.varied or _VARIED.search(secret) is not None) and entropy(secret) >= self.min_entropy


class Redactor:
    """Takes secrets out of texts; the same text always gives the same result.

    `environ` is the environment whose secrets must not get out; `patterns` are the user's own regular expressions, of
    which the group `secret` is replaced, or the whole match. Raises SettingsError for one that is none.
    """

    def __init__(self, environ: Mapping[str, str], patterns: Iterable[str] = ()) -> None:
        self._values = secret_values(environ)
        forms = sorted(self._values, key=len, reverse=True)
        self._known = re.compile("|".join(map(_standing, forms))) if forms else None
        self._own = [Rule("pattern", _checked(pattern)) for pattern in patterns]
        # What is flushed every second is mostly what was flushed the second before.
        self._remembered = lru_cache(maxsize=4096)(self._redacted)

    def text(self, text: str) -> str:
        """Return the text with `[redacted:<rule>]` in place of each secret; whole, since a key may have many lines."""
        return self._remembered(text) if len(text) < 1000 else self._redacted(text)

    def lines(self, lines: Sequence[str]) -> list[str]:
        """Return the lines with secrets taken out that one or several of them hold; there may be fewer afterwards."""
        return self.text("\n".join(lines)).split("\n") if lines else []

    def arguments(self, arguments: Sequence[str]) -> list[str]:
        """Return a command line with secrets taken out, also those that only the flag before them announces."""
        redacted: list[str] = []
        announced = False
        for argument in arguments:
            if announced and not argument.startswith("-"):
                redacted.append(f"{_MARK}flag]")
            else:
                redacted.append(self.text(argument))
            announced = _FLAG.match(argument) is not None
        return redacted

    def _redacted(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(lambda match: f"{_MARK}env:{self._values[match[0]]}]", text)
        for rule in self._own:
            text = rule.apply(text)
        lowered = text.lower()
        concerned = {place for keyword, place in _keywords() if keyword in lowered}
        for place in sorted(concerned):
            text = rules()[place].apply(text)
        return text


@cache
def rules() -> tuple[Rule, ...]:
    """Return the shipped rules in their order."""
    import tomllib

    content = Path(__file__).with_name("redact_rules.toml").read_text(encoding="utf-8")
    return tuple(Rule(**rule) for rule in tomllib.loads(content)["rule"])


@cache
def _keywords() -> tuple[tuple[str, int], ...]:
    """Return each keyword with the place of its rule: one flat loop, since most texts have none of them."""
    return tuple((keyword, place) for place, rule in enumerate(rules()) for keyword in rule.keywords)


def entropy(text: str) -> float:
    """Return bits per character. **Source**: Shannon 1948, section 6."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def secret_values(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what must not get out of an environment: each form in which a value may appear → name of its variable."""
    found: dict[str, str] = {}
    for name in sorted(environ):
        value = environ[name].strip()
        if not (_is_secret_name(name.upper()) and _is_secret_value(name.upper(), value)):
            in_url = _URL_PASSWORD.search(value)
            value = in_url[1] if in_url and len(in_url[1]) >= _SHORTEST_VALUE else ""
        if value and value.lower() not in _COMMON_VALUES:
            for form in _forms(value):
                found.setdefault(form, name)
    return found


def _is_secret_name(name: str) -> bool:
    words = name.split("_")
    if name in _FOLDERS or words[-1] in _ABOUT_A_SECRET:
        return False
    return (
        words[-1].endswith(_SECRET_ENDINGS)
        or words[-1] in _SECRET_LAST_WORDS
        or not _SECRET_WORDS.isdisjoint(words)
        or "API_KEY" in name
    )


def _is_secret_value(name: str, value: str) -> bool:
    if len(value) < _SHORTEST_VALUE or len(set(value)) == 1:
        return False
    if value.isdigit() and value.startswith(("19", "20")):
        return False  # a time or a date, which would tear holes into every run id
    if value[0] in "/~." and os.path.exists(os.path.expanduser(value)):
        return False
    # A bare KEY also names what is sorted or cached by: only what no word looks like is a secret then.
    return (
        not name.endswith(("KEY", "KEYS"))
        or "API" in name
        or len(value) > _BOUNDED_BELOW
        or _VARIED.search(value) is not None
    )


def _forms(value: str) -> Iterator[str]:
    """Yield the value as it is, escaped for a URL and for JSON, and the long lines of one that has several."""
    yield value
    yield quote(value, safe="")
    yield value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _BOUNDED_BELOW)


def _standing(value: str) -> str:
    escaped = re.escape(value)
    return rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])" if len(value) < _BOUNDED_BELOW else escaped


def _checked(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SettingsError(f'redact.patterns has "{pattern}", which is no regular expression: {error}.') from error
    return pattern
