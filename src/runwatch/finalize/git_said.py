"""Why git could not take a run's commit, in a sentence with what to do about it.

Must not ask git anything: this is read from what it said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from runwatch.errors import CommitError
from runwatch.finalize.commit_place import Place
from runwatch.finalize.ref_update import BLOCKED, BROKEN, REFUSED
from runwatch.vcs import NO_GIT, GitError

ENCODING = re.compile(
    r"BOM is (?:required|prohibited) in '(?P<bom_file>[^'\n]+)' if encoded as (?P<bom_encoding>\S+)"
    r"|failed to encode '(?P<file>[^'\n]+)' from (?P<encoding>\S+) to "
    r"|(?P<value>true/false) are no valid working-tree-encodings"
)
"""What git says of a file that is not in the encoding which an attribute says. **Source**: git's convert.c."""


def unreadable(place: Place, commit: str, environ: Mapping[str, str] = os.environ) -> CommitError:
    """Return why nothing can be committed on top of what git does not find."""
    objects = environ.get("GIT_OBJECT_DIRECTORY")
    remedy = f"unset GIT_OBJECT_DIRECTORY, which is {objects}" if objects else "`git fsck` says what is missing"
    return place.refuse(f"git in {place.called} cannot read the last commit, {commit[:12]}", remedy)


def explain(place: Place, error: GitError, *, sign: bool = False) -> CommitError:
    """Return why git could not, in a sentence with what to do about it."""
    said = f"{error.stderr} {error.sentence}".lower()
    if error.sentence == NO_GIT:
        return place.refuse("there is no git program", "install git")
    if "resource temporarily unavailable" in said:
        return place.refuse("git cannot have the processes it needs", "raise `ulimit -u` or close some programs")
    if "too many open files" in said:
        return place.refuse("git cannot open the files it needs", "raise `ulimit -n`")
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
    encoding = ENCODING.search(error.stderr)
    if encoding is not None:
        called = encoding["bom_encoding"] or encoding["encoding"] or encoding["value"]
        folder = "/".join(place.folder[:-2]) or "runs"
        return place.refuse(
            f"git takes a run's files, which are UTF-8, for {called}, as the attribute working-tree-encoding says",
            f"`{folder}/** -working-tree-encoding` at the end of .gitattributes takes runs out",
        )
    broken, blocked = BROKEN.search(error.stderr), BLOCKED.search(error.stderr)
    if broken is not None:
        ref = broken["ref"]
        return place.refuse(
            f"{ref} of {place.called} holds no commit, git calls it broken",
            f"write the last object id of {place.git_dir}/logs/{ref} (the second in its last line) into it",
        )
    if blocked is not None:
        return place.refuse(
            f"git can make no {blocked['ref']} in {place.called} beside {blocked['other']}",
            "check out a branch of another name (`git switch -c NAME`)",
        )
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
