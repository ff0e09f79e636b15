"""What every test of the finalizer's commit starts from and holds it against.

Must not ask runwatch what it did: git says.
"""

from __future__ import annotations

from pathlib import Path

from git_repos import GitRepo

TRACKED = ("metadata.json", "metrics.json", "commit.txt", "logs_summary.txt", "summary.md")
MESSAGE = "runwatch: f/r1 completed\n\nResult: completed\n\nRunwatch-Run: f/r1\n"


def a_run(repo: GitRepo, run_id: str = "r1", *, text: str = "as it was\n") -> Path:
    """Lay out an ended run in a work tree, hidden as a live one is; return its directory."""
    run = repo.path / "runs/f" / run_id
    run.mkdir(parents=True)
    for name in TRACKED:
        (run / name).write_text(f"{name} of {run_id}, {text}")
    (run / "events.jsonl").write_text('{"type":"run.started"}\n')
    (run / ".gitignore").write_text("*\n")
    (repo.path / "runs/.gitignore").write_text("*\n")
    return run


def assert_only_the_run_is_committed(repo: GitRepo, sha: str | None, run_id: str = "r1", parents: int = 1) -> None:
    """Hold one commit against the five files on disk: those, as they are, and nothing else."""
    assert sha is not None
    assert len(repo.git("rev-list", "--parents", "-1", sha).split()) == 1 + parents
    changed = repo.git("diff-tree", "-r", "--root", "--no-commit-id", "--name-status", sha).splitlines()
    assert changed == sorted(f"A\truns/f/{run_id}/{name}" for name in TRACKED)
    for name in TRACKED:
        assert repo.git("show", f"{sha}:runs/f/{run_id}/{name}") == (repo.path / f"runs/f/{run_id}/{name}").read_text()


def assert_the_index_agrees(repo: GitRepo, run_id: str = "r1") -> None:
    """Hold index and work tree against HEAD for the run: nothing staged, nothing changed, not even by its time."""
    below = f"runs/f/{run_id}"
    assert repo.git("ls-files", "--", below).split() == sorted(f"{below}/{name}" for name in TRACKED)
    assert repo.git("diff-index", "--cached", "HEAD", "--", below) == ""
    assert repo.git("diff-files", "--", below) == ""  # plumbing: a lost time would show here


def assert_nothing_is_left(repo: GitRepo) -> None:
    """No lock, temporary index or other file of ours stays in any git folder."""
    folder = Path(repo.git("rev-parse", "--absolute-git-dir").strip())
    left = [path.name for path in folder.rglob("*") if "runwatch" in path.name or path.name.endswith(".lock")]
    assert left == []
