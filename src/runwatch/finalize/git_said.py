"""Why git could not take a run's commit, in a sentence with what to do about it.

Must not ask git anything: this is read from what it said.
"""

from __future__ import annotations

import os

from runwatch.errors import CommitError
from runwatch.finalize.commit_place import Place
from runwatch.finalize.ref_update import REFUSED
from runwatch.vcs import NO_GIT, GitError


def explain(place: Place, error: GitError, *, sign: bool = False) -> CommitError:
    """Return why git could not, in a sentence with what to do about it."""
    said = f"{error.stderr} {error.sentence}".lower()
    if error.sentence == NO_GIT:
        return place.refuse("there is no git program", "install git")
    if "dubious ownership" in said:
        return place.refuse(
            f"git refuses {place.called}, which belongs to another user",
            f"`git config --global --add safe.directory {place.work_tree}` trusts it",
        )
    if "safe.barerepository" in said:
        return place.refuse(
            f"git uses {place.called} only for those who name it (safe.bareRepository)",
            f"set GIT_DIR={place.git_dir} for the runs to come, or `git config --global safe.bareRepository all`",
        )
    if sign and "commit-tree" in error.sentence:
        why = error.stderr.strip().partition("\n")[0].removeprefix("error: ").rstrip(".?")
        return place.refuse(f"the commit cannot be signed ({why})", "set `user.signingKey`, or `[commit] sign = false`")
    refused = REFUSED.search(error.stderr)
    if refused is not None:
        folder, why = os.path.dirname(refused["file"]), refused["why"]
        immutable = f" (`chattr -i {folder}` where it is immutable)" if why == "Operation not permitted" else ""
        return place.refuse(f"{folder} cannot be written: {why}", f"make it writable{immutable}")
    if any(words in said for words in ("read-only file system", "insufficient permission", "permission denied")):
        return place.refuse(f"{place.git_dir} cannot be written", "make it writable")
    if "no space left" in said:
        return place.refuse(f"the disk of {place.git_dir} is full", "free space")
    return place.refuse(error.sentence.rstrip("."), "mend that")
