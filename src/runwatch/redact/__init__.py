"""Secrets taken out of text before it is published: known shapes, values of the environment, patterns of the user's.

Must not read files but its own rules, and must not decide what is published. What a secret looks like is data:
`rules.toml`.
"""

from runwatch.redact.digests import Digests
from runwatch.redact.environment import secret_values
from runwatch.redact.redactor import Redactor
from runwatch.redact.rules import Rule, rule_books, rules

__all__ = ["Digests", "Redactor", "Rule", "rule_books", "rules", "secret_values"]
