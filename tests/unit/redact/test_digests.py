"""Where a value of which only the digest is known is found: wherever a word begins, and behind a short flag."""

from __future__ import annotations

import pytest

from runwatch.redact import Digests, Redactor

VALUE = "correct" + "horse-1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mysql -p{} shop", "mysql -p[redacted:env:A_PASSWORD] shop"),
        ("-p{}", "-p[redacted:env:A_PASSWORD]"),
        ("['mysql', '-P{}']", "['mysql', '-P[redacted:env:A_PASSWORD]']"),
        ("--password={}", "--password=[redacted:env:A_PASSWORD]"),
    ],
)
def test_a_value_of_which_the_digest_is_known_is_found_behind_a_flag(text: str, shown: str) -> None:
    digests = [Digests.of({VALUE: "A_PASSWORD"})]
    assert Redactor({}, digests=digests).text(text.format(VALUE)) == shown
