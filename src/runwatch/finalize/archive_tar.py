"""The tar format of an archive's members: headers and padding.

Must not read or write files. **Source**: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU
tar's manual, "Extensions to the Archive Format": lengths in base 256.
"""

from __future__ import annotations

import tarfile

from runwatch.journal.atomic import FILE_MODE

_OCTAL_MAX = 8**11 - 1
"""The longest file that a ustar header has room for."""
_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)


def header(name: str, size_bytes: int, mtime_s: int) -> bytes:
    """Return the header of a regular file: ustar, with a pax header before it where a value does not fit.

    A name that is no ASCII stands in the ustar header as it is, which every reader takes.
    """
    info = _info(name, mtime_s)
    info.size = size_bytes
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
    except ValueError:
        return _with_length(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"), size_bytes)


def fixed_header(name: str, size_bytes: int, mtime_s: int) -> bytes:
    """Return a header that is as long for every length and time of the file, so that it can be filled in at its end."""
    info = _info(name, mtime_s)
    info.size = min(size_bytes, _OCTAL_MAX)
    info.pax_headers = {"size": f"{size_bytes:020d}"}
    return _with_length(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"), size_bytes)


def padding(size_bytes: int) -> bytes:
    """Return what fills a file up to whole tar blocks."""
    return bytes(-size_bytes % tarfile.BLOCKSIZE)


def _info(name: str, mtime_s: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = min(mtime_s, _OCTAL_MAX), FILE_MODE
    return info


def _with_length(whole: bytes, size_bytes: int) -> bytes:
    """Write a length that octal has no room for in base 256: busybox and 7z do not look for it in the pax header."""
    if size_bytes <= _OCTAL_MAX:
        return whole
    block = bytearray(whole[-tarfile.BLOCKSIZE :])
    block[_SIZE] = (1 << 95 | size_bytes).to_bytes(12, "big")
    block[_CHECKSUM] = b" " * 8
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return whole[: -tarfile.BLOCKSIZE] + bytes(block)
