"""The branch measured against its base, on real repositories, with git's own numbers to compare."""

from __future__ import annotations

import os
from pathlib import Path

from git_repos import GitRepo
from runwatch.vcs import UNBORN, Repository, Snapshot

ODD_NAME = os.fsdecode(b'odd \xe9\t"name"\nwith :lines')


def measured(repo: GitRepo, base: str | None = None, start_head: str | None = None) -> Snapshot:
    with Repository(repo.path) as opened:
        return opened.snapshot(base, start_head=start_head)


def numstat(repo: GitRepo, *args: str) -> tuple[int, int]:
    """Sum what `git diff --numstat` prints for everything but runs/."""
    rows = [line.split("\t") for line in repo.git("diff", "--numstat", "-M", *args, "--", ".", ":!runs").splitlines()]
    return sum(int(a) for a, _, _ in rows if a != "-"), sum(int(d) for _, d, _ in rows if d != "-")


def with_topic(path: Path) -> GitRepo:
    """A topic branch with every kind of change; main has gone on."""
    repo = GitRepo.with_history(path)
    repo.write("gone.txt", "1\n2\n3\n")
    repo.write("moved.txt", "".join(f"{number}\n" for number in range(40)))
    repo.write("picture.bin", bytes(range(256)))
    repo.write("mode.sh", "echo\n")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("src/a.py", "new first line\n" + (repo.path / "src/a.py").read_text().replace("line 3\n", ""))
    repo.write("src/b.py", "one\ntwo\n")
    repo.commit("work")
    (repo.path / "gone.txt").unlink()
    repo.git("mv", "moved.txt", ODD_NAME)
    repo.write(ODD_NAME, (repo.path / ODD_NAME).read_text() + "more\n")
    repo.write("picture.bin", bytes(range(255, -1, -1)))
    (repo.path / "mode.sh").chmod(0o755)
    repo.commit("more work")
    repo.git("checkout", "-q", "main")
    repo.write("README", "main went on\n")
    repo.commit("elsewhere")
    repo.git("checkout", "-q", "topic")
    return repo


def test_every_kind_of_change_is_counted_as_git_counts_it(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    fork = repo.git("merge-base", "main", "topic").strip()
    found = measured(repo)
    assert (found.branch, found.head, found.base) == ("topic", repo.head(), fork)
    assert (found.files_created, found.files_modified) == (1, 3)
    assert (found.files_deleted, found.files_renamed) == (1, 1)
    assert (found.lines_added, found.lines_deleted) == numstat(repo, fork)
    assert (found.commits, found.dirty) == (2, False)


def test_edits_that_are_not_committed_count_and_untracked_files_do_not(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    before = measured(repo)
    repo.write("untracked.txt", "not yet\n")
    assert measured(repo) == before
    repo.write("src/b.py", "one\ntwo\nthree\n")
    repo.git("add", "untracked.txt")
    found = measured(repo)
    assert found.dirty
    assert found.files_created == before.files_created + 1
    assert found.lines_added == before.lines_added + 2
    assert (found.lines_added, found.lines_deleted) == numstat(repo, before.base or "")


def test_files_whose_time_alone_changed_are_not_modified_and_the_index_is_not_written(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    before = measured(repo)
    for name in ("README", "src/a.py", "picture.bin"):
        os.utime(repo.path / name, (1_000_000_000, 1_000_000_000))
    index = repo.path / ".git/index"
    was = (index.read_bytes(), index.stat().st_mtime_ns, index.stat().st_ino)
    assert measured(repo) == before
    assert (index.read_bytes(), index.stat().st_mtime_ns, index.stat().st_ino) == was


def test_runs_and_runwatch_s_own_commits_are_left_out(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    before = measured(repo)
    repo.write("runs/f/r/summary.md", "# a run\n")
    repo.commit("runwatch: f/r completed\n\nbody\n\nRunwatch-Run: f/r\nRunwatch-Status: completed\n")
    repo.write("runs/f/r/summary.md", "# a run, edited\n")
    found = measured(repo)
    assert found.head == repo.head() != before.head
    assert (found.commits, found.files_created, found.lines_added, found.dirty) == (
        before.commits,
        before.files_created,
        before.lines_added,
        False,
    )


def test_a_commit_that_only_quotes_the_trailer_is_the_user_s(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    repo.write("src/c.py", "x\n")
    repo.commit("Squash two commits\n\n* runwatch: f/r completed\n\nRunwatch-Run: f/r\n\nand more text\n")
    repo.commit("Quote it last\n\nRunwatch-Run: f/r\n")
    assert measured(repo).commits == 4


def test_the_remote_s_default_branch_comes_before_main(tmp_path: Path) -> None:
    origin = GitRepo.with_history(tmp_path / "origin")
    origin.git("checkout", "-q", "-b", "trunk")
    origin.write("trunk.txt", "t\n")
    trunk = origin.commit("on trunk")
    GitRepo(tmp_path).git("clone", "-q", str(origin.path), "clone")
    clone = GitRepo(tmp_path / "clone")
    clone.git("branch", "main", "HEAD~1")
    clone.git("checkout", "-q", "-b", "topic")
    clone.write("x", "x\n")
    clone.commit("topic")
    found = measured(clone)
    assert (found.base, found.commits, found.files_created) == (trunk, 1, 1)
    assert measured(clone, "main").commits == 2


def test_a_configured_base_that_only_the_remote_has_is_found_there(tmp_path: Path) -> None:
    origin = GitRepo.with_history(tmp_path / "origin")
    release = origin.head()
    origin.git("branch", "release")
    origin.commit("newer")
    GitRepo(tmp_path).git("clone", "-q", str(origin.path), "clone")
    assert measured(GitRepo(tmp_path / "clone"), "release").base == release


def test_on_main_itself_the_head_at_the_start_is_the_base(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    start = repo.head()
    repo.write("src/b.py", "1\n2\n")
    repo.commit("during the run")
    found = measured(repo, start_head=start)
    assert (found.base, found.commits, found.files_created, found.lines_added) == (start, 1, 1, 2)
    assert measured(repo).commits == 0  # nobody knows the start: only what is not committed counts


def test_a_base_without_a_common_ancestor_is_passed_over(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path)
    repo.git("checkout", "-q", "--orphan", "alone")
    start = repo.commit("unrelated")
    repo.write("x", "x\n")
    repo.commit("work")
    found = measured(repo, start_head=start)
    assert (found.base, found.commits, found.files_created) == (start, 1, 1)


def test_an_unborn_branch_is_measured_from_nothing(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path)
    empty = measured(repo, start_head=UNBORN)
    assert (empty.branch, empty.head, empty.base, empty.files_created, empty.dirty) == ("main", None, None, 0, False)
    repo.write("a", "1\n2\n")
    repo.git("add", "a")
    staged = measured(repo, start_head=UNBORN)
    assert (staged.files_created, staged.lines_added, staged.commits, staged.dirty) == (1, 2, 0, True)
    repo.commit("first")
    born = measured(repo, start_head=UNBORN)
    assert (born.base, born.files_created, born.commits, born.dirty) == (None, 1, 1, False)


def test_a_shallow_clone_is_measured_as_far_as_it_goes(tmp_path: Path) -> None:
    origin = with_topic(tmp_path / "origin")
    GitRepo(tmp_path).git("clone", "-q", "--depth", "1", "--no-single-branch", f"file://{origin.path}", "clone")
    clone = GitRepo(tmp_path / "clone")
    start = clone.head()
    clone.write("x", "x\n")
    clone.commit("work")
    found = measured(clone, "main", start_head=start)
    assert (found.base, found.commits, found.files_created) == (start, 1, 1)


def test_a_conflict_counts_the_file_once(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    repo.write("README", "topic says\n")
    repo.commit("conflicting")
    before = measured(repo)
    repo.git("merge", "main", check=False)
    assert "UU README" in repo.git("status", "--porcelain")
    found = measured(repo)
    assert found.dirty
    assert found.files_modified == before.files_modified  # README was modified already


def test_a_detached_head_and_a_sha256_repository_are_measured(tmp_path: Path) -> None:
    repo = GitRepo.with_history(tmp_path, "--object-format=sha256")
    start = repo.head()
    repo.git("checkout", "-q", "--detach")
    repo.write("x", "x\n")
    repo.commit("work")
    found = measured(repo, start_head=start)
    assert (found.branch, found.head, found.base, found.commits) == (None, repo.head(), start, 1)


def test_the_files_behind_the_numbers_are_listed_with_the_untracked_ones_last(tmp_path: Path) -> None:
    repo = with_topic(tmp_path)
    repo.write("new/folder/file", "x\n")
    repo.write("runs/f/r/summary.md", "x\n")
    repo.write("build.log", "x\n")
    repo.write(".git/info/exclude", "*.log\n")
    with Repository(repo.path) as opened:
        files = opened.changed_files()
    shown = [(file.path, file.status, file.added, file.deleted, file.old_path) for file in files]
    assert shown == [
        ("gone.txt", "deleted", 0, 3, None),
        ("mode.sh", "modified", 0, 0, None),
        (ODD_NAME, "renamed", 1, 0, "moved.txt"),
        ("picture.bin", "modified", None, None, None),
        ("src/a.py", "modified", 1, 1, None),
        ("src/b.py", "created", 2, 0, None),
        ("new/", "untracked", None, None, None),
    ]
