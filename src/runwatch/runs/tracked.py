"""Which files of the runs in a folder git tracks, so that pruning leaves them: nobody's work tree changes by it.

Must not delete anything, or decide what goes. Source: python-api.md, "Ends".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from runwatch.finalize.whereabouts import first_event
from runwatch.finalize.whereabouts import git_variables as variables_of
from runwatch.journal.paths import TRACKED, RunPaths
from runwatch.runs.listing import run_directories
from runwatch.vcs import Found, GitError, GitVariables, Repository, find_repository, git_variables


def tracked(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, frozenset[str]]:
    """Return run to the paths below it that git tracks, in the index or in what is checked out. Raises GitError.

    Where the folder lies in no repository, those count that the environment or a run's journal names; a run of which
    nothing but the files for git is left then keeps them, since who tracks them stood in the journal that is gone.
    """
    found: dict[str, set[str]] = {}
    if find_repository(root) is None:
        found = dict(_pruned_before(root))
    for repository in _repositories(root, environ):
        for name, path in _listed(repository, root):
            found.setdefault(name, set()).add(path)
    return {name: frozenset(paths) for name, paths in found.items()}


def _repositories(root: Path, environ: Mapping[str, str]) -> Iterator[Found]:
    """Yield each repository with a work tree that holds the folder, once."""
    around = find_repository(root)
    if around is not None:
        if not around.bare:
            yield around
        return
    seen: set[tuple[Path, Path]] = set()
    for variables in _named(root, environ):
        there = variables.work_tree(root)
        if there is not None and (there.top, there.git_dir) not in seen:
            seen.add((there.top, there.git_dir))
            yield there


def _named(root: Path, environ: Mapping[str, str]) -> Iterator[GitVariables]:
    yield git_variables(environ, Path.cwd(), None)
    for run in run_directories(root):
        with suppress(OSError):
            yield variables_of(first_event(RunPaths(run))[1])


def _pruned_before(root: Path) -> Iterator[tuple[str, set[str]]]:
    for run in run_directories(root):
        names = {
            os.path.relpath(os.path.join(folder, name), run) for folder, _, files in os.walk(run) for name in files
        }
        if names.issubset(TRACKED):
            yield f"{run.parent.name}/{run.name}", names


def _listed(repository: Found, root: Path) -> Iterator[tuple[str, str]]:
    """Yield run and path below it of each tracked file."""
    below = os.path.relpath(os.path.realpath(root), repository.top)
    there = f":(top,literal){below}"
    with Repository.of(repository) as repo:
        listed = repo.plumbing("ls-files", "-z", "--", there)
        with suppress(GitError):  # nothing is committed yet
            listed += repo.plumbing("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", there)
    for path in filter(None, listed.split("\0")):
        framework, _, rest = os.path.relpath(path, below).partition("/")
        run_id, _, name = rest.partition("/")
        if name:
            yield f"{framework}/{run_id}", name
