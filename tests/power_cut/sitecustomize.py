"""What a power cut would leave, for its test: notes of every file how many bytes were synced.

Loaded by every Python whose PYTHONPATH names this folder; does nothing where POWER_CUT_NOTES is unset.
"""

import os

_NOTES = os.environ.get("POWER_CUT_NOTES")


def _noting(sync):
    def synced(fd):
        found = os.fstat(fd)
        sync(fd)  # what is written meanwhile may not be on the disk
        with open(_NOTES, "ab", buffering=0) as notes:
            notes.write(b"%d %d %d\n" % (found.st_dev, found.st_ino, found.st_size))

    return synced


if _NOTES:
    os.fsync, os.fdatasync = _noting(os.fsync), _noting(os.fdatasync)
