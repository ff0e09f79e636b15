"""What a secret looks like: the rules of `rules.toml`, each compiled when a text first has one of its keywords.

Must not know the environment or the user's patterns.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

MARK = "[redacted:"
"""How what stands in place of a secret begins; the rule's id and a bracket follow."""
_MARKED = re.compile(r"\[redacted:[^\]\n]{1,120}\]")

_REFERENCE = re.compile(
    r"\$\{.*|\$\(.*|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|<[^>]*>?|\{\{.*|\$\d|%\(\w+\)s|%s|\{\w*\}"
    r"|(?:os|env|process|self|cls|config|cfg|settings|args|opts|options|secrets|vars|ctx|request|data)[.\[].*"
    r"|[A-Za-z_]{1,24}(?:\.[A-Za-z_]{1,24})+"
    r"|(?:none|null|nil|true|false|undefined|redacted|changeme|optional|required|missing|incorrect|invalid|expired)"
    r"|(?:your|example|my|the)[-_ ].*|(?:id|src|source|type|name|env|file|from)=.*|(.)\1*"
    r"|[~.]{0,2}/(?:[\w.-]+/)+[\w.-]*",
    re.IGNORECASE,
)
"""What stands where a secret could: a variable, a name in a program, a blank to fill in, a path."""
_ABOUT_SECRETS = re.compile(
    r"pass|secret|token|cred|key|auth|string|bytes|text|field|input|value|prompt|env|file|param|arg|config|setting"
    r"|require|option|invalid|correct|expire|mismatch|missing|denied|default|manager|policy|reset|hash|login|user",
    re.IGNORECASE,
)
"""Words of names in programs and of messages: `password=user_password` gives nothing away."""
VARIED = re.compile(r"[0-9!@#$%^&*+=~?|]")
_QUOTES = frozenset("\"'")
_OPERATORS = re.compile(r"[;&|()<>`]{1,8}\Z")
"""What ends a word of a shell that is in no quotes: behind a secret it belongs to the command."""
_WORD_GOES_ON = re.compile(r"[^\s\"'\\]")


class Span(NamedTuple):
    """Where a secret stands in a text."""

    start: int
    """First character."""
    end: int
    """Behind the last one."""
    label: str
    """What stands in its place."""


class Rule:
    """One shape of a secret."""

    def __init__(
        self,
        id: str,
        regex: str,
        keywords: Sequence[str] = (),
        min_entropy: float = 0.0,
        varied: bool = False,
        no_word: bool = False,
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
        self.no_word = no_word
        """The secret holds none of the words that names in programs and messages about secrets are made of."""
        self.is_whole = "(?P<" not in regex
        """Whether the shape tells the secret by itself, without words around it that announce one."""
        self.source = source
        """Where the shape is written down."""
        self._compiled: re.Pattern[str] | None = None

    def find(self, text: str) -> Iterator[Span]:
        """Yield such secrets of a text, in order."""
        if self._compiled is None:
            self._compiled = re.compile(self.regex, re.MULTILINE)
        yield from self.among(self._compiled.finditer(text), _end)

    def among(
        self,
        matches: Iterable[re.Match[str]],
        end: Callable[[re.Match[str], str | int], int] = lambda match, group: match.span(group)[1],
    ) -> Iterator[Span]:
        """Yield the secrets among matches of its shape; ``end`` says where the group of a match ends."""
        for match in matches:
            group: str | int = next((name for name, value in match.groupdict().items() if value is not None), 0)
            if match[group] and self._convinces(match[group]):
                yield Span(match.start(group), end(match, group), self.id)

    def _convinces(self, secret: str) -> bool:
        if MARK in secret or _MARKED.search(secret) is not None or is_reference(secret):
            return False
        if self.no_word and names_a_secret(secret):
            return False
        return (not self.varied or VARIED.search(secret) is not None) and entropy(secret) >= self.min_entropy


def _end(match: re.Match[str], group: str | int) -> int:
    """Return where a secret ends, without the operators of a shell behind one that is in no quotes."""
    start, end = match.span(group)
    if group != "secret" or match.string[start - 1 : start] in _QUOTES or _WORD_GOES_ON.match(match.string, end):
        return end
    operators = _OPERATORS.search(match[group], max(1, end - start - 8))
    return end if operators is None else start + operators.start()


def is_reference(text: str) -> bool:
    """Whether a text only stands for a value: a variable, a blank to fill in, a path, a word such as None."""
    return _REFERENCE.fullmatch(text) is not None


def names_a_secret(text: str) -> bool:
    """Whether a text is made of words that names in programs and messages about secrets have."""
    return _ABOUT_SECRETS.search(text) is not None


@cache
def _content() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))


@cache
def rules() -> tuple[Rule, ...]:
    """Return the shipped rules in their order."""
    return tuple(Rule(**rule) for rule in _content()["rule"])


def rule_books() -> dict[str, str]:
    """Return the addresses of the rule books that `Rule.source` names by their short names."""
    return dict(_content()["sources"])


@cache
def words() -> dict[str, frozenset[str]]:
    """Return the lists of words that tell secrets of an environment from other values, in lower case."""
    return {name: frozenset(listed.split()) for name, listed in _content()["words"].items()}


def concerned(text: str) -> Iterator[Rule]:
    """Yield the rules of which a text has a keyword, in their order."""
    lowered = text.lower()
    for place in sorted({place for keyword, place in _keywords() if keyword in lowered}):
        yield rules()[place]


@cache
def _keywords() -> tuple[tuple[str, int], ...]:
    """Return each keyword with the place of its rule: one flat loop, since most texts have none of them."""
    return tuple((keyword, place) for place, rule in enumerate(rules()) for keyword in rule.keywords)


def entropy(text: str) -> float:
    """Return bits per character. **Source**: Shannon 1948, section 6."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
