"""The commit in a repository that has no work tree: on its branch, by compare-and-swap, and no index is touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commit_checks import MESSAGE, TRACKED, a_run, assert_nothing_is_left, assert_only_the_run_is_committed
from git_repos import GitRepo
from integration.recorded import record, runwatch
from runwatch.errors import CommitError
from runwatch.finalize.commit import CommitOptions, CommitResult, commit_run
from runwatch.vcs import GitVariables

PATIENCE = CommitOptions(patience_s=0.3)


def bare(path: Path, *, history: bool = True) -> GitRepo:
    """Make a bare repository, by default with one commit of two files on main."""
    if not history:
        return GitRepo.create(path, "--bare")
    origin = GitRepo.with_history(path.with_name(f"{path.name}-origin"))
    subprocess.run(["git", "clone", "-q", "--bare", str(origin.path), str(path)], check=True)
    return GitRepo(path)


def commit(run: Path, options: CommitOptions = PATIENCE, *, user: GitVariables | None = None) -> CommitResult:
    result = commit_run(run, TRACKED, MESSAGE, options, user=user)
    assert result is not None
    return result


@pytest.mark.parametrize("history", [True, False], ids=["with history", "unborn"])
def test_a_bare_repository_gets_the_commit_on_its_branch_once(tmp_path: Path, history: bool) -> None:
    repo = bare(tmp_path / "r.git", history=history)
    run = a_run(repo)
    result = commit(run)
    assert (result.made, result.branch, repo.git("rev-parse", "refs/heads/main").strip()) == (True, "main", result.sha)
    assert_only_the_run_is_committed(repo, result.sha, parents=1 if history else 0)
    assert commit(run) == CommitResult(sha=result.sha, branch="main", made=False)
    assert not (repo.path / "index").exists()
    assert_nothing_is_left(repo)
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def test_a_bare_repository_that_a_folder_points_at_is_committed_to(tmp_path: Path) -> None:
    """As people lay out linked worktrees: `proj/.bare`, and `proj/.git` that says so."""
    repo = bare(tmp_path / "proj/.bare")
    (tmp_path / "proj/.git").write_text("gitdir: ./.bare\n")
    below = GitRepo(tmp_path / "proj/below")
    result = commit(a_run(below))
    assert result.sha == repo.head()
    changed = repo.git("diff-tree", "-r", "--no-commit-id", "--name-only", result.sha).split()
    assert changed == sorted(f"runs/f/r1/{name}" for name in TRACKED)  # where it would lie in a work tree


def test_a_bare_repository_inside_a_work_tree_is_not_taken_for_that(tmp_path: Path) -> None:
    outer = GitRepo.with_history(tmp_path)
    repo = bare(tmp_path / "mirrors/r.git")
    before, head = outer.state(), outer.head()
    assert commit(a_run(repo)).sha == repo.head()
    assert outer.head() == head
    assert outer.git("ls-files") == "README\nsrc/a.py\n"
    assert before["index"] == outer.state()["index"]


def test_a_branch_that_a_linked_worktree_has_checked_out_is_left_alone(tmp_path: Path) -> None:
    repo = bare(tmp_path / "r.git")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "main")
    linked = GitRepo(tmp_path / "linked")
    before, run = linked.state(), a_run(repo)
    with pytest.raises(CommitError, match=r"branch main is checked out in another work tree: .*`\[commit\] mode`"):
        commit(run)
    assert commit(run, CommitOptions(mode="records")).branch == "records"
    assert linked.state() == before
    own = a_run(linked, "r2")  # the worktree itself commits as ever
    assert commit(own).branch == "main"
    linked.git("checkout", "-q", "-b", "topic")
    assert commit(a_run(linked, "r3"), CommitOptions(mode="main")).branch == "main"  # nobody has it checked out now


def test_a_bare_repository_with_an_index_is_not_moved_under_whoever_uses_it(tmp_path: Path) -> None:
    """As with `git --git-dir=~/.files --work-tree=~`: a commit without its index would be undone by the next."""
    repo = bare(tmp_path / "r.git")
    work = tmp_path / "home"
    work.mkdir()
    files = ("--git-dir", str(repo.path), "--work-tree", str(work))
    subprocess.run(["git", *files, "checkout", "-q", "-f"], check=True)
    run, head = a_run(repo), repo.head()
    with pytest.raises(CommitError, match=r"has an index: .*: name another branch with `\[commit\] mode`"):
        commit(run)
    assert repo.head() == head
    assert commit(run, CommitOptions(mode="records")).branch == "records"


def test_one_that_the_environment_named_takes_runs_that_lie_in_no_repository(tmp_path: Path) -> None:
    repo, other = bare(tmp_path / "r.git"), GitRepo.with_history(tmp_path / "other")
    named = GitVariables(dir=str(repo.path))
    plain = GitRepo(tmp_path / "plain")
    result = commit(a_run(plain), user=named)
    assert result.sha == repo.head()
    assert commit(a_run(other), user=named).sha == other.head()  # where a run lies comes first
    assert repo.head() == result.sha
    with pytest.raises(CommitError, match=r"lies in no git repository, and GIT_DIR .*: set GIT_WORK_TREE too"):
        commit(plain.path / "runs/f/r1", user=GitVariables(dir=str(other.path / ".git")))  # one with a work tree


def test_where_git_wants_bare_repositories_named_they_are_refused_or_named(tmp_path: Path) -> None:
    repo = bare(tmp_path / "r.git")
    run = a_run(repo)
    config = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.bareRepository", "GIT_CONFIG_VALUE_0": "explicit"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in config.items():
            patch.setenv(name, value)
        if subprocess.run(["git", "rev-parse", "--git-dir"], cwd=repo.path, capture_output=True).returncode == 0:
            pytest.skip("safe.bareRepository needs git 2.38 or newer")
        with pytest.raises(CommitError, match=r"only for those who name it \(safe\.bareRepository\): set GIT_DIR="):
            commit(run)
        result = commit(run, user=GitVariables(dir=str(repo.path)))
    assert result.sha == repo.head()


def test_a_push_that_is_being_received_is_not_spoiled(tmp_path: Path) -> None:
    repo = bare(tmp_path / "r.git")
    run = a_run(repo)
    program = (
        "import sys; from runwatch.finalize.commit import CommitOptions, commit_run\n"
        "try: commit_run(__import__('pathlib').Path(sys.argv[1]), ['summary.md'], 'm', CommitOptions(patience_s=0.2))\n"
        "except Exception as error: print(error)"
    )
    hook = f'#!/bin/sh\n"$PYTHON" -c "{program}" "{run}"\n'
    repo.write("hooks/pre-receive", hook).chmod(0o755)
    clone = GitRepo(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", str(repo.path), str(clone.path)], check=True)
    clone.write("mine", "x\n")
    mine = clone.commit("mine")
    environ = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(sys.path)}
    pushed = subprocess.run(
        ["git", "push", "-q", "origin", "main"], cwd=clone.path, env=environ, capture_output=True, text=True, check=True
    )
    assert "git is receiving a push" in pushed.stderr
    assert repo.head() == mine


def test_a_command_recorded_in_a_bare_repository_is_committed_and_doctor_says_so(tmp_path: Path) -> None:
    repo = bare(tmp_path / "r.git")
    before = repo.head()
    told = json.loads(runwatch("doctor", "--json", cwd=repo.path).stdout)
    said = " ".join(each["sentence"] for each in told if each["check"] == "commit")
    assert f"goes to branch main in the bare repository {repo.path}" in said
    assert "no work tree" in said
    assert not [each for each in told if each["level"] == "fault"]
    recorded = record("sh", "-c", "echo out; exit 3", cwd=repo.path)
    assert recorded.done.returncode == 3, recorded.done.stderr
    assert repo.git("rev-parse", "HEAD~1").strip() == before
    assert recorded.event("run.started")["git"] == {"branch": "main", "head": before}
    assert recorded.json("finalize.json")["commit"]["sha"] == repo.head()
    assert b"no git repository" not in recorded.done.stderr
    other = tmp_path / "plain"
    other.mkdir()
    elsewhere = record("true", cwd=other, env={"GIT_DIR": "../r.git"})
    assert elsewhere.json("finalize.json")["commit"]["sha"] == repo.head()
    assert elsewhere.event("run.started")["git"]["dir"] == str(repo.path)
    done = runwatch("finalize", "--from", "commit", cwd=other)  # without the variable
    assert (done.returncode, elsewhere.json("finalize.json")["commit"]["sha"]) == (0, repo.head())


def test_a_work_tree_whose_git_folder_only_the_environment_names_is_committed_to(tmp_path: Path) -> None:
    """As people keep their dotfiles: `git --git-dir ~/.dotfiles --work-tree ~`."""
    folder, tree = bare(tmp_path / "home.git"), tmp_path / "home"
    tree.mkdir()
    named = {"GIT_DIR": str(folder.path), "GIT_WORK_TREE": str(tree)}
    repo = GitRepo(tree)
    repo.git("read-tree", "HEAD", **named)
    repo.write("staged.txt", "the user's")
    repo.git("add", "staged.txt", **named)
    staged = repo.git("ls-files", "-s", "--", ":!runs", ":!README", **named)
    work = (
        "git checkout-index -a; git checkout -qb topic; echo one more >> README; git commit -qm mine README; "
        'echo edited >> README; runwatch_issue=\'{"type":"issue.started","issue":1}\'; '
        'echo "$runwatch_issue" >> "$RUNWATCH_RUN_DIR/events.jsonl"'
    )
    recorded = record("sh", "-c", work, cwd=tree, env=named)
    assert not (recorded.dir / ".gitignore").exists(), "after the commit the rules of the folder hide the rest"
    code = recorded.json("metrics.json")["code"]
    assert (code["branch"], code["head"]) == ("topic", folder.git("rev-parse", "HEAD~").strip())
    assert (code["commits"], code["files_modified"], code["files_created"], code["dirty"]) == (1, 1, 1, True)
    assert code["lines_added"] == 3, "one committed, one edited, one staged"
    assert recorded.event("run.started")["git"].items() >= {"dir": str(folder.path), "tree": str(tree)}.items()
    made = recorded.json("finalize.json")["commit"]
    assert (made["sha"], made["branch"]) == (folder.head(), "topic")
    assert made["note"] == "the run began on main"
    changed = repo.git("diff-tree", "-r", "--no-commit-id", "--name-only", "HEAD", **named).split()
    assert {Path(name).parent for name in changed} == {recorded.dir.relative_to(tree)}
    assert repo.git("ls-files", "-s", "--", ":!runs", ":!README", **named) == staged
    assert repo.git("diff", "--cached", "--name-only", **named).split() == ["staged.txt"]
    done = runwatch("finalize", "--from", "commit", cwd=tree)  # without the variables
    assert (done.returncode, folder.head()) == (0, made["sha"])
    assert runwatch("reconcile", "--merged", cwd=tree).returncode == 1
    repo.git("update-ref", "refs/heads/main", "topic", **named)
    merged = runwatch("reconcile", "--merged", cwd=tree)
    assert (merged.returncode, merged.stdout.startswith(b"issue 1: merged (git: topic at ")) == (0, True), merged
    journal = recorded.dir / "events.jsonl"
    pruned = runwatch("prune", "--max-age", "0.0000001", cwd=tree)  # without them too
    assert pruned.returncode == 0, pruned.stderr
    assert not journal.exists()
    assert not repo.git("diff", "--name-only", "--", "runs", **named), "what is tracked stays"
    again = runwatch("prune", "--max-age", "0.0000001", cwd=tree)
    assert again.returncode == 0, again.stderr
    assert not repo.git("diff", "--name-only", "--", "runs", **named), "and when nothing says any more who tracks it"
