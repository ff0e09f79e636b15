"""Git commands on one work tree, or in one bare repository, run through GitPython: the only module that imports it.

Must not run the user's hooks, take the user's locks for a look, or decide what to commit. GitPython's own readers
are left alone: they fail on unborn branches and SHA-256 repositories, and count no lines (targets.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from runwatch.vcs import layout
from runwatch.vcs.branch import Snapshot, check_base, measure
from runwatch.vcs.changes import ChangedFile, changed_files
from runwatch.vcs.environment import FIXED, NO_HOOKS, OVERRIDES, stripped
from runwatch.vcs.running import GitError, Running

if TYPE_CHECKING:
    from git import Repo


NO_GIT = "There is no git program: install git."
"""What is said where none can be found."""


class Repository:
    """The repository of one work tree; ``with`` ends the processes that GitPython keeps."""

    def __init__(self, work_tree: Path, *, named: bool = False, git_dir: Path | None = None) -> None:
        """Note the top of a work tree, as find_work_tree() returns it, or of a bare repository. Nothing is opened yet.

        ``named``: git is told where the bare repository is, as the user told it, instead of finding it: some
        configurations (safe.bareRepository) forbid that. ``git_dir`` is the git folder where the work tree does not
        say it.
        """
        self.work_tree = work_tree
        own = layout.git_dir(work_tree)
        folder = git_dir or own
        if folder is None:
            raise GitError(f"{work_tree} is not the top of a git work tree.")
        self.git_dir = folder
        elsewhere = folder != work_tree and layout.is_bare(folder)
        self._where: tuple[str, ...] = ("--git-dir", str(folder)) if named or elsewhere else ()
        if folder != own:
            self._where = ("--git-dir", str(folder), "--work-tree", str(work_tree))
        self._repo: Repo | None = None
        self._hidden = stripped(os.environ, folder)

    @classmethod
    def of(cls, found: layout.Found) -> Self:
        """Return the repository that was found, told to git as the user told it."""
        return cls(found.top, named=found.named, git_dir=found.git_dir)

    def __enter__(self) -> Self:
        """Open it. Raises GitError where git or the repository cannot be used."""
        self._repo = _open(self.work_tree, self.git_dir)
        if shutil.which(self._repo.git.GIT_PYTHON_GIT_EXECUTABLE or "git") is None:
            self.__exit__()
            raise GitError(NO_GIT)
        return self

    def __exit__(self, *_: object) -> None:
        if self._repo is not None:
            self._repo.close()
            self._repo = None

    def head(self) -> layout.Head:
        """Return what is checked out, also where git keeps its refs in another form than files."""
        head = layout.head_of(self.git_dir)
        if head.branch is None and head.sha is None:
            branch = self.plumbing("symbolic-ref", "--quiet", "--short", "HEAD", check=False).rstrip("\n")
            sha = self.plumbing("rev-parse", "--verify", "--quiet", "HEAD", check=False).rstrip("\n")
            return layout.Head(branch or None, sha or None)
        return head

    def change_key(self) -> layout.ChangeKey:
        """Return what changes whenever git changes this work tree; see layout.change_key."""
        return layout.change_key(self.git_dir)

    def snapshot(
        self, base: str | None = None, exclude: tuple[str, ...] = ("runs",), *, start_head: str | None = None
    ) -> Snapshot:
        """Return the branch against its merge base, the work tree included; see branch.measure. Raises GitError."""
        return measure(self, base, exclude, start_head)

    def branch_snapshot(self, branch: str, base: str | None = None, exclude: tuple[str, ...] = ("runs",)) -> Snapshot:
        """Return a branch against its merge base: with its work tree where it is checked out here.

        Raises GitError, also where the base is not there or shares no commit with the branch.
        """
        from runwatch.vcs.elsewhere import measure_branch

        head = self.head()
        if head.branch == branch:
            check_base(self, head, base)
            return self.snapshot(base, exclude)
        return measure_branch(self, branch, base, exclude)

    def reached_base(self, commit: str, branch: str | None = None, base: str | None = None) -> str | None:
        """Return the commit of the base that holds ``commit``, None where none does. Raises GitError."""
        from runwatch.vcs.elsewhere import reached

        return reached(self, commit, branch, base)

    def changed_files(
        self, base: str | None = None, exclude: tuple[str, ...] = ("runs",), *, start_head: str | None = None
    ) -> list[ChangedFile]:
        """Return the files behind snapshot(), by path, and after them the untracked ones. Raises GitError."""
        return changed_files(self, base, exclude, start_head)

    def is_ignored(self, path: Path) -> bool:
        """Whether the ignore rules hide a path of the work tree; a tracked file is never hidden. Raises GitError."""
        try:
            self.plumbing("check-ignore", "--quiet", "--", str(path))
        except GitError as error:
            if error.status == 1:
                return False
            raise
        return True

    def plumbing(
        self,
        *args: str,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        settings: tuple[str, ...] = (),
    ) -> str:
        """Run one git command at the top of the work tree; return its output, undecodable bytes as surrogates.

        ``settings`` are further ``name=value`` of configuration. Raises GitError when it fails, cannot be started or
        takes more than two minutes; with ``check=False`` a failing command just returns what it wrote.
        """
        data = os.fsencode(input) if isinstance(input, str) else input
        return self.start(*args, env=env, settings=settings).result(data, check=check)

    def _without(self, env: Mapping[str, str]) -> list[str]:
        """Return the words in front of a git command that hide the user's variables, but not those set for it."""
        names = [name for name in self._hidden if name not in env]
        if not names:
            return []
        return [shutil.which("env") or "/usr/bin/env", *(part for name in names for part in ("-u", name))]

    def start(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        settings: tuple[str, ...] = (),
        hooks: bool = False,
    ) -> Running:
        """Start one git command with pipes; the caller must bring it to its end. Raises GitError.

        ``hooks`` leaves the repository's hooks on, which are off for all else.
        """
        if self._repo is None:
            raise RuntimeError("use the Repository in a with statement")
        from git.exc import GitCommandNotFound

        git = self._repo.git
        command = [
            *self._without(env or {}),
            git.GIT_PYTHON_GIT_EXECUTABLE or "git",
            *self._where,
            *(word for value in (*OVERRIDES, *(() if hooks else NO_HOOKS), *settings) for word in ("-c", value)),
            *args,
        ]
        try:
            wrapper = git.execute(
                command,
                istream=subprocess.PIPE,
                as_process=True,
                env=FIXED | dict(env or {}),
                start_new_session=True,  # a Ctrl-C on the terminal is not meant for it
            )
        except GitCommandNotFound as error:  # it went away meanwhile
            raise GitError(NO_GIT) from error
        except OSError as error:
            raise GitError(f"git cannot be started: {error.strerror or error}.") from error
        process, wrapper.proc = wrapper.proc, None  # the wrapper would kill it when it goes out of scope
        return Running(cast("subprocess.Popen[bytes]", process), args[0], self.work_tree)


def is_tracked(found: layout.Found, path: Path) -> bool:
    """Whether the index of a work tree has a file; False where git cannot say."""
    try:
        with Repository.of(found) as repo:
            return bool(repo.plumbing("ls-files", "-z", "--", str(path), env={"GIT_LITERAL_PATHSPECS": "1"}))
    except GitError:
        return False


def is_ignored(found: layout.Found, path: Path) -> bool:
    """Whether the ignore rules of a work tree hide a path in it; False where git cannot say."""
    try:
        with Repository.of(found) as repo:
            return repo.is_ignored(path)
    except GitError:
        return False


def _open(work_tree: Path, git_dir: Path) -> Repo:
    before = os.environ.get("GIT_PYTHON_REFRESH")
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"  # without a git program the import raises
    try:
        from git import Git, Repo
        from git.exc import InvalidGitRepositoryError, NoSuchPathError
    except ImportError as error:
        raise GitError(f"GitPython cannot be imported: {error}.") from error
    finally:
        if before is None:
            del os.environ["GIT_PYTHON_REFRESH"]
        else:
            os.environ["GIT_PYTHON_REFRESH"] = before
    try:
        is_apart = layout.git_dir(work_tree) != git_dir
        repo = Repo(git_dir if is_apart else work_tree, expand_vars=False)
        repo.git = Git(work_tree)  # its own would go to where the user's variables lead
    except (InvalidGitRepositoryError, NoSuchPathError, OSError) as error:
        raise GitError(f"{work_tree} cannot be opened as a git repository: {error}.") from error
    repo.git.environment().clear()  # it copies GIT_DIR and its like from the environment
    return repo
