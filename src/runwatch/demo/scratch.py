"""The scratch repository: the package to repair, in a folder and with a git identity of its own.

Must not touch any other folder or repository.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from runwatch.demo import git_cli
from runwatch.demo.registry import TaskRegistry
from runwatch.demo.story import PACKAGE, load

BRANCH = "repair"
"""Where the agent works."""
BASE = "main"
"""What its work is measured against."""
REGISTRY = Path(".demo") / "task_registry.sqlite"
_SUFFIX = ".txt"
"""Carried by every file of the shipped package, so that no tool takes it for ours."""
_DOT = "dot-"
"""Stands for the dot of a hidden file: a real ``.gitignore`` would already count where it is shipped."""
_IDENTITY = {
    "user.name": "runwatch demo",
    "user.email": "demo@example.invalid",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.autocrlf": "false",
    "core.hooksPath": "/dev/null",
    "gc.auto": "0",
}


class ScratchTaken(Exception):
    """The folder that was asked for holds something already."""


def make(folder: str | None, package: Path = PACKAGE) -> Path:
    """Make the repository in ``folder``, else in a new temporary one; return its absolute path.

    Raises ScratchTaken, OSError, git_cli.GitFailed.
    """
    root = _root(folder)
    _write_files(package / "repository", root)
    story = load(package)
    TaskRegistry(root / REGISTRY).create((issue.id, issue.title, issue.body) for issue in story.issue)
    git_cli.run(root, "init", "--quiet", "--template=")
    git_cli.run(root, "symbolic-ref", "HEAD", f"refs/heads/{BASE}")
    for name, value in _IDENTITY.items():
        git_cli.run(root, "config", name, value)
    git_cli.run(root, "add", "--all")
    git_cli.run(root, "commit", "--quiet", "-m", "Import billing 0.3.0, with the defects that the demo repairs")
    git_cli.run(root, "checkout", "--quiet", "-b", BRANCH)
    return root


def _root(folder: str | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="runwatch-demo-")).resolve()
    root = Path(folder).expanduser().absolute()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ScratchTaken(f"{root} is not an empty folder: name one that is new or empty.")
    root.mkdir(parents=True, exist_ok=True)
    return root.resolve()


def _write_files(source: Path, root: Path) -> None:
    for path in sorted(source.rglob(f"*{_SUFFIX}")):
        name = path.name.removesuffix(_SUFFIX)
        if name.startswith(_DOT):
            name = "." + name.removeprefix(_DOT)
        target = root / path.relative_to(source).parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
