"""Taking secrets out of texts: everything found in the text as it stands and as it reads, replaced at once.

Must not decide what a secret looks like (`rules`) or which values of the environment are secrets (`environment`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from runwatch.redact.command_lines import without_passwords
from runwatch.redact.digests import Digests, label
from runwatch.redact.encodings import decoded, hex_digits, in_base64, original
from runwatch.redact.environment import (
    BOUNDED_BELOW,
    hex_forms,
    is_secret_value,
    secret_forms,
    secret_values,
    with_other_cases,
)
from runwatch.redact.patterns import Patterns
from runwatch.redact.rules import MARK, Span, concerned, is_reference
from runwatch.redact.wrapped import Joined, joined, joined_everywhere
from runwatch.timed_pattern import TookTooLong

_KEY_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY")
"""How the name of a JSON key ends that announces a secret: more ways than these mean something else there."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LAST_WORD = re.compile(r"\S{1,4000}\Z")
_LONG_WORD = 100
_KEPT = 24
"""Characters that stay of a word that was cut and is longer: of a secret as long nobody guesses the others."""

WITHHELD = f"{MARK}pattern timed out]"
"""What stands for a text that nobody can tell the secrets of in time."""
CUT_LENGTHS = frozenset({500, 1000, 2000, 4000})
"""Characters at which texts are cut before they come here (`sdk.plain`, `sdk.faults`, `fold.notices`, markers): what
stands at the end of such a text may be the beginning of a secret that nothing tells any more."""


class Redactor:
    """Takes secrets out of texts; the same text always gives the same result.

    `environ` is the environment whose secrets must not get out; `patterns` are the user's own regular expressions, of
    which the group `secret` is replaced, or the whole match. Raises SettingsError for one that is none. `digests` are
    of secrets of other environments, whose values are not at hand.
    """

    def __init__(
        self, environ: Mapping[str, str], patterns: Iterable[str] = (), digests: Iterable[Digests] = ()
    ) -> None:
        self.values = secret_values(environ)
        """The secrets that are known → names of their variables."""
        self._own = Patterns(patterns)
        self._withheld: set[int] = set()
        """Hashes of texts that a pattern took too long on: once is enough."""
        # What is flushed every second is mostly what was flushed the second before.
        self._remembered = lru_cache(maxsize=4096)(self._redacted)
        self._given = tuple(digests)
        self._prepare()

    def learn(self, values: Mapping[str, str], digests: Iterable[Digests] | None = None) -> bool:
        """Take these out as well from now on: values → names of their variables; return whether any was not known.

        ``digests`` stand in place of those that were given before.
        """
        new = {value: name for value, name in values.items() if value not in self.values}
        given = self._given if digests is None else tuple(digests)
        if not new and given == self._given:
            return False
        self.values |= new
        self._given = given
        self._prepare()
        return True

    def _prepare(self) -> None:
        forms = secret_forms(self.values)
        self._forms = [(form, forms[form], _standing(form)) for form in sorted(forms, key=len, reverse=True)]
        self._in_hex = hex_forms(self.values)
        known = self.known_forms
        self._digests = [left for each in self._given if (left := each.without(known)) is not None]
        self._remembered.cache_clear()

    @property
    def known_forms(self) -> dict[str, str]:
        """The secrets that are known, as they are and in other cases → names of their variables."""
        return with_other_cases(self.values, self.values)

    @property
    def slow_patterns(self) -> list[int]:
        """Numbers of the user's patterns that took too long on some text, from 1: such a text is withheld."""
        return sorted(self._own.slow)

    def text(self, text: str) -> str:
        """Return the text with `[redacted:<rule>]` in place of each secret; whole, since a key may have many lines.

        One on which a pattern of the user's finds no end is withheld.
        """
        return self._remembered(text) if len(text) < 1000 else self._redacted(text)

    def lines(self, lines: Sequence[str]) -> list[str]:
        """Return the lines with secrets taken out that one or several of them hold; there may be fewer afterwards."""
        return self.text("\n".join(lines)).split("\n") if lines else []

    def arguments(self, arguments: Sequence[str]) -> list[str]:
        """Return a command line with secrets taken out, also those that only the flag before them announces."""
        shown = zip(without_passwords(arguments), arguments, strict=True)
        return [self.text(argument) if known is None else known for known, argument in shown]

    def tree(self, value: Any) -> Any:
        """Return a value made of mappings, lists and plain values with the secrets in its texts taken out.

        Lists of texts count as command lines. Keys that would fall together are told apart by a number; a text whose
        length says that it was cut loses its last word, of a long one all but its beginning.
        """
        if isinstance(value, str):
            return self._uncut(value)
        if isinstance(value, list):
            texts = bool(value) and all(isinstance(each, str) for each in value)
            return self.arguments(value) if texts else [self.tree(each) for each in value]
        if isinstance(value, dict):
            shown: dict[Any, Any] = {}
            for key, each in value.items():
                shown[self._key(key, shown)] = self._announced(key, each)
            return shown
        return value

    def _uncut(self, text: str) -> str:
        redacted = self.text(text)
        return _LAST_WORD.sub(self._begun, redacted) + "…" if len(text) in CUT_LENGTHS else redacted

    def _begun(self, last: re.Match[str]) -> str:
        """Return what may stay of a word that was cut: nothing of a known secret, and no half of another one."""
        word = last[0]
        if len(word) <= _LONG_WORD or MARK in word:
            return ""
        for at in range(_KEPT):
            if any(form.startswith(word[at:]) for form, *_ in self._forms):
                return word[:at]
        return word[:_KEPT]

    def _key(self, key: Any, taken: Mapping[Any, Any]) -> Any:
        shown = self.text(key) if isinstance(key, str) else key
        number = 2
        while shown in taken:
            shown, number = f"{self.text(key)} #{number}", number + 1
        return shown

    def _announced(self, key: Any, value: Any) -> Any:
        if not (isinstance(key, str) and isinstance(value, str)):
            return self.tree(value)
        redacted = self._uncut(value)
        name = _HUMP.sub("_", key).upper().replace("-", "_")
        secret = redacted == value and name.endswith(_KEY_WORDS) and is_secret_value(name, value)
        return f"{MARK}secret]" if secret and not is_reference(value) else redacted

    def _redacted(self, text: str) -> str:
        key = hash(text)
        if key not in self._withheld:
            try:
                return self._without_secrets(text)
            except TookTooLong:
                self._withheld.add(key)
        return WITHHELD

    def _without_secrets(self, text: str) -> str:
        found = list(self._spans(text))
        for reading, layers in decoded(text):
            for span in self._spans(reading):
                start, end = original(span[:2], layers)
                found.append(Span(start, end, span.label))
        for start, end, said in in_base64(text):
            inside = next(self._spans(said), None)
            if inside is not None:
                found.append(Span(start, end, inside.label))
        found += self._hex_spans(text)
        if "\n" in text:
            found += self._broken(text, found)
        return _replaced(text, found) if found else text

    def _broken(self, text: str, found: Sequence[Span]) -> Iterator[Span]:
        """Yield secrets that are broken over lines: known values anywhere, known shapes where no word goes on.

        Two that were ``found`` one below the other are two.
        """
        everywhere = joined_everywhere(text) if self._forms else None
        if everywhere is not None:
            yield from _across(everywhere, self._hex_spans(everywhere.text))
            for form, name, standing in self._forms:
                if form in everywhere.text:
                    spans = (Span(*match.span(), label(name)) for match in standing.finditer(everywhere.text))
                    yield from _across(everywhere, spans)
        likely = joined(text, (span[:2] for span in found))
        if likely is not None:
            for rule in concerned(likely.text):
                if rule.is_whole:
                    yield from _across(likely, rule.find(likely.text))

    def _hex_spans(self, text: str) -> Iterator[Span]:
        """Yield secrets that are written in hexadecimal digits, known values also among others."""
        for start, end, said in hex_digits(text):
            inside = next(self._spans(said), None) if said else None
            if inside is not None:
                yield Span(start, end, inside.label)
                continue
            digits = text[start:end].lower()
            for form, name in self._in_hex.items():
                if form in digits and (len(form) >= BOUNDED_BELOW or form == digits):
                    for match in re.finditer(form, digits):
                        yield Span(start + match.start(), start + match.end(), label(name))

    def _spans(self, text: str) -> Iterator[Span]:
        for form, name, standing in self._forms:
            if form in text:
                for match in standing.finditer(text):
                    yield Span(match.start(), match.end(), label(name))
        for digests in self._digests:
            yield from digests.find(text)
        yield from self._own.find(text)
        for rule in concerned(text):
            yield from rule.find(text)


def _across(reading: Joined, spans: Iterator[Span]) -> Iterator[Span]:
    """Yield those of the secrets of a reading that go across a line break, at their places in the text as it stands."""
    for span in spans:
        if reading.crosses(span.start, span.end):
            yield Span(*reading.original(span.start, span.end), span.label)


def _replaced(text: str, found: list[Span]) -> str:
    """Put marks in place of secrets; of those that overlap the first found gives its name to all."""
    order = sorted(range(len(found)), key=lambda place: found[place].start)
    parts: list[str] = []
    done = 0
    at = 0
    while at < len(order):
        first = at
        end = found[order[at]].end
        while at < len(order) and found[order[at]].start < end:
            end = max(end, found[order[at]].end)
            at += 1
        at = max(at, first + 1)
        label = found[min(order[first:at])].label
        parts += (text[done : found[order[first]].start], f"{MARK}{label}]")
        done = end
    return "".join([*parts, text[done:]])


def _standing(value: str) -> re.Pattern[str]:
    escaped = re.escape(value)
    bounded = rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])"
    return re.compile(bounded if len(value) < BOUNDED_BELOW else escaped)
