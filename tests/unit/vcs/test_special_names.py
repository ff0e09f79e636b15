"""Names that git keeps for itself, held against git."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_repos import GitRepo
from runwatch.vcs.special_names import first_special, is_special

DOT_GIT = (".git", ".GIT", ".Git.", ".git. .", ".git ", "git~1", "GIT~1.", ".git:x", ".g\u200cit", "\ufeff.GIT")
OWN_FILES = (
    ".gitmodules",
    ".gitattributes.",
    ".GITIGNORE",
    ".mailmap ",
    "gitmod~1",
    "GI7EBA~1",
    "gi7d29~2",
    "g~123456",
)
PLAIN = (
    "git",
    ".github",
    ".gitlab-ci",
    "x.git",
    ".gitx",
    "...",
    ".",
    "",
    "git~2",
    "gitmod~5",
    "gi7eba~0",
    "mailmap",
    "é",
)


@pytest.mark.parametrize("name", DOT_GIT + OWN_FILES)
def test_every_spelling_of_a_name_of_gits_is_known(name: str) -> None:
    assert is_special(name)


@pytest.mark.parametrize("name", PLAIN)
def test_other_names_are_free(name: str) -> None:
    assert not is_special(name)


def test_what_git_refuses_as_a_part_of_a_path_is_known(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    for name in ("core.protectHFS", "core.protectNTFS"):
        repo.git("config", name, "true")
    blob = repo.git("hash-object", "-w", str(repo.write("a", "x"))).strip()
    for name in (*DOT_GIT, *PLAIN):
        done = repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},d/{name}/f", check=False)
        taken = bool(repo.git("ls-files", "-z", "--", f":(literal)d/{name}/f"))
        assert done == ""
        assert taken or is_special(name) or name in ("", "."), name
        assert not (taken and is_special(name)), name


def test_the_first_part_of_a_path_that_git_keeps_is_named() -> None:
    assert first_special(("a", "GIT~1", ".git")) == "GIT~1"
    assert first_special(("a", "runs")) is None
