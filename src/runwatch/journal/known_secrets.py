"""What a run remembers of secrets that its processes held: `.secrets.json`, salted digests, never the secrets.

Must not decide what a secret is. Each line is written at once behind the others, by whoever learns of one, so that
nobody waits; it is neither archived nor committed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

import msgspec

from runwatch.journal.beneath import open_beneath, open_regular
from runwatch.journal.paths import RunPaths
from runwatch.redact.digests import Digests
from runwatch.secret_names import URL_PASSWORD, announced

MOST_BYTES = 1 << 20
"""So much of the file is read, and so long it grows: some ten thousand values."""


def remembered(paths: RunPaths) -> tuple[Digests, ...]:
    """Return what a run remembers, one entry a salt; empty where it remembers nothing that can be read."""
    try:
        fd = open_regular(paths.secrets)
    except OSError:
        return ()
    with open(fd, "rb") as file:
        lines = file.read(MOST_BYTES).splitlines()
    groups: dict[str, dict[str, object]] = {}
    for line in lines:
        try:
            read = msgspec.json.decode(line, type=Digests)
            bytes.fromhex(read.salt + "".join(each.digest for each in read.values))
        except (ValueError, UnicodeDecodeError):  # torn by a full disk, or somebody else's
            continue
        groups.setdefault(read.salt, {}).update({each.digest: each for each in read.values})
    return tuple(Digests(salt=salt, values=tuple(values.values())) for salt, values in groups.items())  # type: ignore[arg-type]  # of its own entries


def remember(paths: RunPaths, values: Mapping[str, str]) -> bool:
    """Add values → names of their variables to what a run remembers; return whether any was new. Raises OSError."""
    known = remembered(paths)
    new = {value: name for value, name in values.items() if not any(each.knows(value) for each in known)}
    if not new:
        return False
    # A line that a full disk tore must not spoil this one.
    line = b"\n" + msgspec.json.encode(Digests.of(new, known[0].salt if known else None)) + b"\n"
    fd = open_beneath(paths.root, paths.secrets.name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        if os.fstat(fd).st_size + len(line) > MOST_BYTES:
            return False
        if os.write(fd, line) != len(line):
            raise OSError(errno.ENOSPC, "No space left on device", str(paths.secrets))
    finally:
        os.close(fd)
    return True


def count(groups: tuple[Digests, ...]) -> int:
    """Return how many secrets a run remembers."""
    return sum(len(each.values) for each in groups)


def tell_own(paths: RunPaths, environ: Mapping[str, str]) -> None:
    """Add what an environment holds that the run does not remember yet. Raises OSError."""
    known = remembered(paths)
    unknown = {
        name: value
        for name, value in announced(environ).items()
        if not any(each.knows(_hidden(value)) for each in known)
    }
    if not unknown:
        return
    from runwatch.redact.environment import secret_values, with_other_cases  # the shapes of secrets are slow to load

    values = secret_values(unknown, os.environ)
    remember(paths, with_other_cases(values, values))


def _hidden(value: str) -> str:
    """Return what of a value is the secret: in an address its password."""
    found = URL_PASSWORD.search(value)
    return found[1] if found else value.strip()
