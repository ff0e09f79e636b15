"""What .gitattributes has git do to a run's files on their way into a commit, tried for real.

Must not write an object into the repository.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runwatch.finalize.commit_place import Place
from runwatch.finalize.git_said import explain
from runwatch.journal.paths import TRACKED
from runwatch.runs.doctor.finding import Finding, fault, refused, warning
from runwatch.vcs import Found, GitError, Repository

CHECK = "commit"
FILTER_S = 20.0
"""So long a filter may take for a line."""
_NONE = ("unspecified", "unset", "")
"""What git says of a file that an attribute says nothing of. Source: git-check-attr(1)."""


def look(repo: Repository, place: Place, root: Path) -> Iterator[Finding]:
    """Yield what was found of the tracked files of runs below ``root``."""
    yield from _filters(repo, place, root)
    yield from _encodings(repo, place, root)


def _filters(repo: Repository, place: Place, root: Path) -> Iterator[Finding]:
    """Try the filters that must not fail."""
    for name, file in _attribute(repo, place, root, "filter").items():
        if name in (*_NONE, "set"):
            continue
        if repo.plumbing("config", "--type=bool", f"filter.{name}.required", check=False).strip() != "true":
            continue
        command = [repo.plumbing("config", f"filter.{name}.{key}", check=False).strip() for key in ("process", "clean")]
        words = next(filter(None, command), "").split()
        if words[:1] == ["git-lfs"] and shutil.which("git-lfs"):
            continue  # it would keep what it is tried with
        try:
            repo.start("hash-object", "--stdin", f"--path={file}").result(b"{}\n", timeout_s=FILTER_S)
        except GitError as error:
            why = (error.stderr or error.sentence).strip().partition("\n")[0].rstrip(".")
            what = f"git cannot put {file.rpartition('/')[2]} through the filter {name!r}, which is required ({why})"
            yield fault(CHECK, what, f"mend filter.{name} in git's configuration, or take runs out in .gitattributes")


def _encodings(repo: Repository, place: Place, root: Path) -> Iterator[Finding]:
    """Try the encodings that git takes the files for."""
    for name, file in _attribute(repo, place, root, "working-tree-encoding").items():
        if name in _NONE or name.upper().replace("-", "") == "UTF8":
            continue
        folder = msgspec.structs.replace(place, folder=tuple(file.split("/")[:-1]))
        try:
            with tempfile.TemporaryDirectory() as objects:
                env = {"GIT_OBJECT_DIRECTORY": objects}
                repo.plumbing("hash-object", "-w", "--stdin", f"--path={file}", input='{"\xfc": 1}\n', env=env)
        except GitError as error:
            yield refused(explain(folder, error))
        else:
            runs = file.rsplit("/", 3)[0]
            what = f"git takes {file.rpartition('/')[2]}, which is UTF-8, for {name}, as an attribute says"
            remedy = f"add `{runs}/** -working-tree-encoding` at the end of .gitattributes"
            yield warning(CHECK, f"{what}: what is committed reads wrong", remedy)


def _attribute(repo: Repository, place: Place, root: Path, name: str) -> dict[str, str]:
    """Return the values that an attribute has for the tracked files of runs below ``root``, each with such a file."""
    found = Found(top=place.work_tree, git_dir=place.git_dir, bare=place.bare)
    folder = "/".join((*found.committed(Path(os.path.realpath(root))), "f/r"))
    files = [f"{folder}/{each}" for each in TRACKED]
    said = repo.plumbing("check-attr", "-z", name, "--", *files, check=False).split("\0")
    return {value: file for file, value in zip(said[0::3], said[2::3], strict=False)}
