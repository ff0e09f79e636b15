"""Who a run's commit is by, where git on its own would refuse to say.

Must not make one up from the login and the host's name, as git does: nobody asked to publish those.
**Source**: git's ident.c, fmt_ident().
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runwatch.vcs import GitError, Repository

FALLBACK = {"name": "runwatch", "email": "runwatch@localhost"}
"""Without a configured identity it is runwatch's own."""
_ROLES = ("author", "committer")
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
"""What git takes away from both ends of a name."""
_NO_IDENTITY = ("auto-detection is disabled", "empty ident name", "disallowed characters")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Author and committer."""

    author: tuple[str, str]
    """Name and mail."""
    committer: tuple[str, str]
    """Name and mail."""
    passed_over: tuple[str, ...] = ()
    """Variables and settings that say a name with which git makes no commit."""

    def variables(self) -> dict[str, str]:
        """Return what tells git."""
        said = zip(_ROLES, (self.author, self.committer), strict=True)
        return {
            f"GIT_{role.upper()}_{kind}": value
            for role, both in said
            for kind, value in zip(("NAME", "EMAIL"), both, strict=True)
        }


def is_about_identity(error: GitError) -> bool:
    """Whether git made no commit because of the names that it was told."""
    return any(words in error.stderr for words in _NO_IDENTITY)


def author_variables(author: str) -> dict[str, str]:
    """Return what tells git an author given as "Name <mail>"."""
    name, _, mail = author.rpartition("<")
    return {"GIT_AUTHOR_NAME": name.strip(), "GIT_AUTHOR_EMAIL": mail.strip().rstrip(">")}


def identity(repo: Repository, environ: Mapping[str, str], author: str | None) -> Identity:
    """Return who a commit is by: as git finds it, past names that it refuses, and runwatch in the end.

    ``author`` is one asked for. Raises GitError.
    """
    listed = repo.plumbing("config", "-z", "--get-regexp", r"^(user|author|committer)\.(name|email)$", check=False)
    config = dict(entry.partition("\n")[::2] for entry in listed.split("\0") if entry)  # the last one counts
    asked = dict(environ) | (author_variables(author) if author else {})
    passed_over: dict[str, None] = {}

    def first(role: str, kind: str) -> str:
        variable = f"GIT_{role.upper()}_{kind.upper()}"
        places = ((variable, asked), (f"{role}.{kind}", config), (f"user.{kind}", config))
        for name, values in places:
            if name in values and (kind == "email" or values[name].strip(_CRUD)):
                return values[name]
            if name in values:
                passed_over[name] = None
        return FALLBACK[kind]

    names = {role: (first(role, "name"), first(role, "email")) for role in _ROLES}
    return Identity(author=names["author"], committer=names["committer"], passed_over=tuple(passed_over))
