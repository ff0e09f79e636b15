"""The script of the demo: issues, repairs and answers, read from ``story.toml``.

Must not act. A wrong file is the writer's error and shows as one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

PACKAGE = Path(__file__).parent / "package"
"""The package to repair and its story, as they are shipped."""


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One replacement in a file."""

    file: str
    """Path in the repository."""
    old: str
    """What stands there once; a line feed at the beginning is the notation's."""
    new: str
    """What stands there afterwards."""


class Repair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One try at an issue."""

    message: str
    """Of its commit."""
    reason: str
    """Why it is thought to help."""
    edit: tuple[Edit, ...] = ()
    """What it changes."""


class Regression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test file that stays."""

    message: str
    """Of its commit."""
    file: str
    """Path in the repository."""
    source: str
    """Its content."""


class Objection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a review asks for."""

    remark: str
    """In the words of the review."""


class Issue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the task registry, and all that the agent will do about it."""

    id: int
    """Its number."""
    title: str
    """In a few words."""
    body: str
    """In a few more."""
    test_files: tuple[str, ...]
    """Files whose failing tests it explains."""
    sources: tuple[str, ...]
    """Files that it is about."""
    targets: tuple[str, ...]
    """What its pipelines test; nothing: everything, with coverage."""
    hypotheses: tuple[str, ...]
    """What could be behind it."""
    choice: str
    """What is done about it."""
    risk: str
    """What that could break."""
    repair: tuple[Repair, ...] = ()
    """In the order in which they are tried."""
    regression: tuple[Regression, ...] = ()
    """The first is written at once, each other one answers an objection."""
    objection: tuple[Objection, ...] = ()
    """One for each review that does not accept."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question to the model and its answer, with ``{names}`` to fill in."""

    role: str
    """Who asks."""
    ask: str
    """The question."""
    answer: str
    """What the stand-in will say."""


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole script."""

    question: str
    """What a person is asked."""
    answer: str
    """What the script answers in the person's place."""
    issue: tuple[Issue, ...]
    """In the order of their repair."""
    talk: dict[str, tuple[Line, ...]]
    """Scene to its questions."""
    roles: dict[str, str]
    """Role to what its model is told first."""

    def issue_of_test(self, test: str) -> Issue:
        """Return the issue that explains a failing test; the last one where none claims it."""
        return next((issue for issue in self.issue if test.split("::")[0] in issue.test_files), self.issue[-1])


def load(package: Path = PACKAGE) -> Story:
    """Read the script that lies beside a package."""
    with open(package / "story.toml", "rb") as file:
        return msgspec.convert(tomllib.load(file), Story)
