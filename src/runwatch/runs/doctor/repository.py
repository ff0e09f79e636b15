"""The repository: whether it would take a run's commit now, asked of the very checks that the finalizer makes.

Must not write an object, move a ref or touch a lock. Source: finalizer.md, "The commit".
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from runwatch.errors import CommitError
from runwatch.finalize.commit_identity import FALLBACK, identity
from runwatch.finalize.commit_place import Place, find_target, other_index, way_out
from runwatch.finalize.git_said import explain, unreadable
from runwatch.finalize.users_commit import commit_around, find_commit
from runwatch.runs.doctor import attributes, git_locks
from runwatch.runs.doctor.finding import Finding, fault, note, ok, refused, warning
from runwatch.settings import Settings
from runwatch.vcs import GitError, Repository, common_dir, find_repository
from runwatch.vcs.environment import git_variables, is_meant, objects_dir, stripped
from runwatch.vcs.sparse import outside_cone_warning
from runwatch.vcs.special_names import first_special

CHECK = "commit"
OLDEST_GIT = (2, 28)
"""`git update-ref --stdin` prepares and commits since 2.27; `init.defaultBranch` is of 2.28. Source: git's RelNotes."""


def look(root: Path, settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield what was found of the repository around the runs folder ``root``."""
    if settings.commit.mode == "off":
        yield note(CHECK, "commits are off: `[commit] mode` says so", None)
        return
    version = _version()
    if version is None:
        yield fault(
            "git", "there is no git program: runs are recorded, but neither measured nor committed", "install git"
        )
        return
    if version < OLDEST_GIT:
        told = ".".join(map(str, version))
        oldest = ".".join(map(str, OLDEST_GIT))
        yield fault(
            "git", f"git {told} is too old to commit without touching your index", f"install git {oldest} or newer"
        )
        return
    yield ok("git", f"git {'.'.join(map(str, version))}")
    there = next(each for each in (root, *root.parents) if os.path.lexists(each))
    cwd = Path.cwd()
    named = git_variables(environ, cwd, None)
    found = find_repository(there, named.dir, named.tree)
    real = Path(os.path.realpath(root))
    special = first_special(real.parts if found is None else found.committed(real))
    if special is not None:
        yield fault(
            CHECK,
            f"{root} lies in {special!r}, a name that git keeps for itself",
            "choose another folder with --runs-dir",
        )
        return
    way = way_out(root, named) if found is None else None
    if way is not None:
        why = f"{way.link} is a symbolic link to {way.target}, out of the repository {way.left}"
        yield fault(CHECK, f"{why}: runs are recorded, but not committed", f"put a folder in place of {way.link}")
        return
    if found is None:
        yield fault(CHECK, f"{root} lies in no git repository: runs are recorded, but not committed", "git init")
        return
    index = None if found.bare else other_index(git_variables(environ, cwd, found.top), found.git_dir)
    place = Place(
        run_id="RUN",
        root=root,
        work_tree=found.top,
        git_dir=found.git_dir,
        bare=found.bare,
        named=found.named,
        other_index=index,
    )
    yield from _variables(environ, place)
    try:
        with Repository(found.top, named=found.named, git_dir=found.git_dir) as repo:
            yield from _repository(repo, place, root, settings, environ)
    except CommitError as error:
        yield refused(error)
    except GitError as error:
        yield refused(explain(place, error))
    except OSError as error:
        yield fault(CHECK, f"{found.git_dir} cannot be read: {error.strerror or error}", "make it readable")


def _version() -> tuple[int, ...] | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in found.groups() if part) if found else None


def _variables(environ: Mapping[str, str], place: Place) -> Iterator[Finding]:
    used = {
        "GIT_DIR": place.named,
        "GIT_WORK_TREE": place.named and not place.bare,
        "GIT_INDEX_FILE": place.other_index is not None,
    }
    hidden = [
        name
        for name in stripped(environ, place.git_dir)
        if not name.startswith("GIT_PYTHON") and not used.get(name) and name != "GIT_COMMON_DIR"
    ]
    if environ.get("GIT_OBJECT_DIRECTORY") and is_meant(environ, place.git_dir):
        objects = objects_dir(environ, place.git_dir)
        if objects != common_dir(place.git_dir) / "objects":
            what = f"GIT_OBJECT_DIRECTORY is set: runs that start now are committed with their objects in {objects}"
            yield note(
                "environment", f"{what}, and nobody can read the branch without them", "unset GIT_OBJECT_DIRECTORY"
            )
    if environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES") and is_meant(environ, place.git_dir):
        yield note(
            "environment", "GIT_ALTERNATE_OBJECT_DIRECTORIES is set: runwatch's git commands find objects there too"
        )
    index = git_variables(environ, Path.cwd(), None if place.bare else place.work_tree).index
    if index is not None and place.other_index is None and not os.path.lexists(index):
        hidden.remove("GIT_INDEX_FILE")
        what = f"GIT_INDEX_FILE names {index}, which is not there: runs are committed to the usual index alone"
        yield note("environment", f"{what}, and a commit made with that takes them out", "unset GIT_INDEX_FILE")
    if place.other_index is not None:
        yield note(
            "environment",
            f"GIT_INDEX_FILE is set: runs that start now are committed to {place.other_index} and to the usual index",
        )
    if hidden:
        is_are, it_them = ("is", "it") if len(hidden) == 1 else ("are", "them")
        yield note(
            "environment",
            f"{', '.join(hidden)} {is_are} set: the command sees {it_them}, runwatch's own git commands do not",
            f"unset {' '.join(hidden)}",
        )


def _repository(
    repo: Repository, place: Place, root: Path, settings: Settings, environ: Mapping[str, str]
) -> Iterator[Finding]:
    repo.plumbing("rev-parse", "--git-dir")
    problems = list(_in_the_way(repo, place, settings, environ))
    yield from problems
    if not any(problem.level == "fault" for problem in problems):
        branch = find_target(repo, place, settings.commit.mode, environ).branch
        yield ok(CHECK, f"goes to {f'branch {branch}' if branch else 'a detached head'} in {place.called}")
        if place.bare:
            yield note(
                CHECK,
                "a bare repository has no work tree: runs lie in the current folder, and whoever pushes to that branch "
                "has to fetch their commits first",
                "`[commit] mode` names another branch",
            )
    yield from _identity(repo, settings, environ)
    yield from _signing(repo, settings)
    yield from _sparse(root)
    yield from _rules(repo, place, root)
    yield from attributes.look(repo, place, root)
    yield from _hooks(repo, place, settings)


def _in_the_way(repo: Repository, place: Place, settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        target = find_target(repo, place, settings.commit.mode, environ)
    except CommitError as error:
        yield refused(error)
    else:
        if target.branch is None:
            yield warning(CHECK, f"HEAD of {place.called} is detached: the commit is on no branch", "git switch BRANCH")
        if target.tip is not None:
            try:
                repo.plumbing("cat-file", "-e", f"{target.tip}^{{tree}}")
            except GitError:
                yield refused(unreadable(place, target.tip, environ))
        yield from git_locks.of_branch(place, target)
    yield from git_locks.of_indexes(repo, place)
    pid = commit_around(place.work_tree, place.git_dir) or find_commit(place.work_tree, place.git_dir, set())
    if pid is not None:
        yield fault(CHECK, f"a `git commit` (process {pid}) is under way in {place.work_tree}", "finish it")
    for folder in dict.fromkeys((place.git_dir, objects_dir(environ, place.git_dir))):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield fault(CHECK, f"{folder} cannot be written ({error.strerror})", "make it writable")


def _identity(repo: Repository, settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    who = identity(repo, environ, settings.commit.author)
    (name, mail), said = who.author, f"commits are by {who.author[0]} <{who.author[1]}>"
    if who.committer != who.author and not settings.commit.author:
        said += f", made by {who.committer[0]} <{who.committer[1]}>"
    for each in who.passed_over:
        what = f"{each} says no name, and git makes no commit with that: {said} all the same"
        yield warning("identity", what, f"unset {each}" if each.startswith("GIT_") else f"git config {each} NAME")
    if settings.commit.author:
        yield ok("identity", f"commits are by {settings.commit.author}, as `[commit] author` says")
    elif name == FALLBACK["name"] or mail == FALLBACK["email"]:
        yield note(
            "identity", "git knows no name and mail of yours: commits are by runwatch", "git config user.name NAME"
        )
    elif not who.passed_over:
        yield ok("identity", said)


def _signing(repo: Repository, settings: Settings) -> Iterator[Finding]:
    if not settings.commit.sign:
        return
    kind = repo.plumbing("config", "gpg.format", check=False).strip() or "openpgp"
    usual = {"openpgp": "gpg", "ssh": "ssh-keygen", "x509": "gpgsm"}.get(kind, "gpg")
    named = repo.plumbing("config", f"gpg.{kind}.program", check=False).strip()
    program = (
        named or (repo.plumbing("config", "gpg.program", check=False).strip() if kind == "openpgp" else "") or usual
    )
    if shutil.which(program) is None:
        yield fault(
            "signing", f"`[commit] sign` is on, and there is no {program}", f"install {program}, or sign = false"
        )
    elif not repo.plumbing("config", "user.signingKey", check=False).strip():
        remedy = "git config user.signingKey KEY, or sign = false"
        level = fault if kind == "ssh" else warning
        yield level("signing", "`[commit] sign` is on, and git knows no key of yours", remedy)
    else:
        yield ok("signing", f"commits are signed with {program}")


def _sparse(root: Path) -> Iterator[Finding]:
    danger = outside_cone_warning(root)
    if danger is not None:
        what, _, remedy = danger.rpartition(": ")
        yield warning("sparse checkout", what, remedy.split("`")[1])


def _rules(repo: Repository, place: Place, root: Path) -> Iterator[Finding]:
    if place.bare:
        return
    try:
        parts = Path(os.path.realpath(root)).relative_to(place.work_tree)
    except ValueError:
        return
    summary = place.work_tree / parts / "framework" / "run" / "metadata.json"
    if repo.is_ignored(summary):
        rule = repo.plumbing("check-ignore", "--verbose", "--", str(summary), check=False).split(":")
        if rule[0] != str(parts / ".gitignore"):  # ours, where nobody has called init
            yield note(
                "ignore rules",
                f"{rule[0]}, line {rule[1]}, hides the summaries from your own `git add` and `git status`; "
                "runwatch commits them all the same",
                "runwatch init",
            )


def _hooks(repo: Repository, place: Place, settings: Settings) -> Iterator[Finding]:
    set_by = repo.plumbing("config", "--get", "core.hooksPath", settings=(), check=False).strip()
    folder = common_dir(place.git_dir) / "hooks"
    active = [name for name in ("pre-commit", "commit-msg") if os.access(folder / name, os.X_OK)]
    if active or set_by not in ("", "/dev/null"):
        which = f"{' and '.join(active)} of {folder}" if active else f"those of {set_by}"
        said = "are run" if settings.commit.hooks else "are not run"
        yield note("hooks", f"{which} {said} for runwatch's commits")
