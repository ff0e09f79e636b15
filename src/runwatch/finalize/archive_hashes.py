"""Hashes of an archive's bytes as they are read from disk, span by span, held against what they must be.

Must not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from runwatch.finalize.manifest import Span


class SpanMismatch(Exception):
    """A span's bytes are not those that its hash was taken of; its message says which."""


class Hashes:
    """The SHA-256 of everything taken, and of each span alone."""

    def __init__(self, spans: Sequence[Span]) -> None:
        """``spans`` must begin at 0 and follow each other."""
        self._spans = spans
        self._index = 0
        self._whole = hashlib.sha256()
        self._own = self._whole  # of the first span, the two are the same
        self._at = 0

    def take(self, data: bytes | memoryview) -> None:
        """Take the next bytes. Raises SpanMismatch where a span ends with another hash than it has."""
        view = memoryview(data)
        while view:
            span = self._spans[self._index] if self._index < len(self._spans) else None
            some = view if span is None else view[: max(0, span.end_bytes - self._at)]
            self._whole.update(some)
            if self._own is not self._whole and span is not None:
                self._own.update(some)
            self._at += len(some)
            view = view[len(some) :]
            if span is not None and self._at >= span.end_bytes:
                self._end(span)

    def _end(self, span: Span) -> None:
        if self._own.hexdigest() != span.sha256 or self._at != span.end_bytes:
            raise SpanMismatch(f"the {span.end_bytes} compressed bytes up to here differ from their listed SHA-256")
        self._own = hashlib.sha256()
        self._index += 1

    @property
    def missing(self) -> int:
        """How many spans have not ended yet."""
        return len(self._spans) - self._index

    @property
    def sha256(self) -> str:
        """Of everything taken, in hex."""
        return self._whole.hexdigest()
