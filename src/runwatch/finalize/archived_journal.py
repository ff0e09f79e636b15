"""Whether a run's journal is still the one that its archive holds: emptied or damaged since, it must replace no copy.

Must not write anything. Source: finalizer.md, "Promised, whatever ends it" 1.
"""

from __future__ import annotations

import hashlib
import os
import shlex

from runwatch.errors import RecordError, VerifyError
from runwatch.finalize.archive_read import CHUNK_BYTES, Listing, read_listing
from runwatch.finalize.archiving import stands
from runwatch.finalize.state import Archive
from runwatch.journal.beneath import open_regular
from runwatch.journal.paths import RunPaths


def check_journal(paths: RunPaths, recorded: Archive | None) -> None:
    """Raise RecordError where the archive holds events that the journal has no more, as they were acknowledged.

    What was appended since is no loss; an archive that is damaged, or not what was verified, proves nothing.
    """
    if not os.path.lexists(paths.archive):
        return
    try:
        listing = read_listing(paths.archive)
    except VerifyError:
        return
    archived = next((member for member in listing.manifest.members if member.path == paths.journal.name), None)
    if archived is None or _begins_with(paths, archived.size_bytes, archived.sha256):
        return
    if recorded is not None and not stands(paths, recorded):
        return
    raise RecordError(
        f"{paths.journal} has lost events that {paths.archive.name} still holds: `{way_back(paths, listing)}` brings "
        f"them back, then `runwatch finalize {paths.run_id}`; nothing was changed."
    )


def way_back(paths: RunPaths, listing: Listing) -> str:
    """Return the command that puts the archived journal in the place of the one that is there."""
    archive, root = shlex.quote(str(paths.archive)), shlex.quote(str(paths.root))
    member = shlex.quote(f"{listing.manifest.run_id}/{paths.journal.name}")
    return f"tar -xzf {archive} -C {root} --strip-components=1 {member}"


def _begins_with(paths: RunPaths, size_bytes: int, sha256: str) -> bool:
    """Whether so many bytes at the journal's beginning have that SHA-256."""
    found = hashlib.sha256()
    try:
        with open(open_regular(paths.journal), "rb", buffering=0) as file:
            while size_bytes > 0 and (data := file.read(min(size_bytes, CHUNK_BYTES))):
                found.update(data)
                size_bytes -= len(data)
    except OSError:
        return True  # it is there and cannot be read: whoever reads it next says why
    return size_bytes == 0 and found.hexdigest() == sha256
