"""Real repositories for tests: made by git, looked at by git.

Must not import runwatch: what a test compares with comes from git alone.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GitRepo:
    """A work tree and git commands in it."""

    path: Path

    @classmethod
    def create(cls, path: Path, *init: str) -> GitRepo:
        """Make an empty repository, on branch main."""
        path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "-b", "main", *init, str(path)], check=True)
        return cls(path)

    @classmethod
    def with_history(cls, path: Path, *init: str) -> GitRepo:
        """Make a repository with one commit of two files."""
        repo = cls.create(path, *init)
        repo.write("README", "read me\n")
        repo.write("src/a.py", "".join(f"line {number}\n" for number in range(20)))
        repo.commit("first")
        return repo

    def git(self, *args: str, check: bool = True, **env: str) -> str:
        """Run git here; return its output, undecodable bytes as surrogates."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env=os.environ | env,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {os.fsdecode(done.stderr)}{os.fsdecode(done.stdout)}")
        return os.fsdecode(done.stdout)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file and the folders above it."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, message: str, *paths: str) -> str:
        """Add the paths (everything, without any) and commit; return the object id."""
        self.git("add", *(paths or ("--all",)))
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head()

    def head(self) -> str:
        """Return the object id of HEAD."""
        return self.git("rev-parse", "HEAD").strip()

    def state(self, *, without: str = "runs") -> dict[str, object]:
        """Return what the user sees of the work tree, one folder left out: index, staged, status, every file."""
        rest = ("--", ".", f":(top,exclude){without}")
        quiet = {"GIT_OPTIONAL_LOCKS": "0"}
        return {
            "index": self.git("ls-files", "-s", "-z", *rest, **quiet),
            "flags": self.git("ls-files", "-t", "-v", "-z", *rest, **quiet),
            "staged": self.git("diff", "--cached", "--binary", *rest, check=False, **quiet),
            "status": self.git("status", "--porcelain=v2", "-z", *rest, **quiet),
            "files": {
                str(path.relative_to(self.path)): path.read_bytes()
                for path in sorted(self.path.rglob("*"))
                if path.is_file() and path.relative_to(self.path).parts[0] not in (".git", without)
            },
        }
