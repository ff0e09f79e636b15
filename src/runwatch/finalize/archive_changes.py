"""Whether the files that are in an archive in the making are still what they were.

Must not write, or take a file's times for its content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from runwatch.finalize.archive_ledger import Entry, Ledger, Source
from runwatch.finalize.archive_sources import Folder
from runwatch.finalize.deflate import crc32

_BUFFER_BYTES = 1 << 20
_THREADS = 2
"""At the end, other processors have little to do: the command is gone."""


def first_changed(
    ledger: Ledger, folder: Folder, names: Collection[str], on_bytes: Callable[[int], None] | None = None
) -> int:
    """Return the index of the first piece that must be made again, or how many there are.

    ``names`` are the files that belong in. Every byte is read again and held against the CRC-32 that it had: length,
    times and inode do not show what was written through a mapping, or at a time that the clock gave twice.
    """
    wanted = set(names)
    listed = [(index, entry) for index, piece in enumerate(ledger.pieces) for entry in piece.entries]
    with ThreadPoolExecutor(_THREADS) as pool:
        checks = pool.map(lambda item: is_unchanged(item[1], folder), listed)
        for (index, entry), same in zip(listed, checks, strict=True):
            if on_bytes:
                on_bytes(entry.member.size_bytes)
            if entry.member.path not in wanted or not same:
                pool.shutdown(cancel_futures=True)
                return ledger.first_of(index)
    begun = ledger.going_on
    if begun is not None and begun.member.path not in wanted:
        return ledger.first_of(len(ledger.pieces) - 1)
    return len(ledger.pieces)


def is_unchanged(entry: Entry, folder: Folder) -> bool:
    """Whether a file is the one that was archived, by its state and by the CRC-32 of its content."""
    try:
        fd = folder.open(entry.member.path)
    except OSError:
        return False
    try:
        return Source.of(os.fstat(fd)) == entry.source and content_crc32(fd) == entry.crc32
    finally:
        os.close(fd)


def content_crc32(fd: int, size_bytes: int | None = None) -> int:
    """Return the CRC-32 of a file, or of its first ``size_bytes``."""
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    crc = at = 0
    while count := os.preadv(fd, [buffer[: None if size_bytes is None else size_bytes - at]], at):
        crc = crc32(buffer[:count], crc)
        at += count
    return crc


def seems_unchanged(entry: Entry, folder: Folder) -> bool:
    """Whether a file's state is what it was; its content is not looked at."""
    found = folder.stat(entry.member.path)
    return found is not None and Source.of(found) == entry.source
