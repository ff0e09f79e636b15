"""Which names of files and folders git keeps for itself, on whatever file system the repository is cloned to.

Must not look at any file. **Source**: git's path.c, `is_ntfs_dotgit`, `is_ntfs_dot_generic`; utf8.c, `is_hfs_dotgit`;
fsck.c, which refuses a folder of the name of one of git's own files.
"""

from __future__ import annotations

import re

_SHORT = {"git": None, "gitmodules": "gi7eba", "gitattributes": "gi7d29", "gitignore": "gi250a", "mailmap": "maba30"}
"""What follows the dot, and how the name begins that NTFS makes up where the usual short ones are taken."""
_UNSEEN = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
"""What HFS+ leaves out of a name."""
_IGNORED_END = r"[ .]*(?::.*|\\.*)?\Z"
"""What NTFS leaves out at the end of one, a stream or a folder below it included."""


def _spellings(name: str, short: str | None) -> str:
    if short is None:
        return rf"(?:\.{name}|git~1){_IGNORED_END}"
    tilde = "|".join(rf"{short[:length]}~[1-9]\d{{{6 - length}}}" for length in range(6, -1, -1))
    return rf"(?:\.{name}|{name[:6]}~[1-4]|{tilde}){_IGNORED_END}"


_SPECIAL = re.compile("|".join(_spellings(*each) for each in _SHORT.items()), re.IGNORECASE | re.DOTALL | re.ASCII)


def is_special(name: str) -> bool:
    """Whether git, or a file system to which it may check out, takes a name for `.git` or one of git's own files."""
    return _SPECIAL.match(name) is not None or _SPECIAL.match(_UNSEEN.sub("", name)) is not None


def first_special(parts: tuple[str, ...]) -> str | None:
    """Return the first part of a path that git keeps for itself; None where there is none."""
    return next((part for part in parts if is_special(part)), None)
