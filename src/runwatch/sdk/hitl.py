"""Waiting for a person, as events.

Must not ask: the program does.
"""

from __future__ import annotations

import time
import types
from secrets import token_hex

from runwatch.sdk import plain
from runwatch.sdk.core import Emitter


class Question:
    """A context manager around a person's answer."""

    def __init__(self, emitter: Emitter, question: str) -> None:
        self._emitter = emitter
        self._question = plain.text(question)
        self._answer: str | None = None
        self._call_id = ""
        self._started = 0.0

    def answer(self, text: str) -> None:
        """Keep what the person said; the last word counts."""
        self._answer = plain.text(text)

    def __enter__(self) -> Question:
        self._call_id, self._started = token_hex(6), time.monotonic()
        self._emitter.emit("hitl.requested", {"question": self._question, "call_id": self._call_id})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        wait_s = round(time.monotonic() - self._started, 6)
        self._emitter.emit("hitl.answered", {"answer": self._answer, "wait_s": wait_s, "call_id": self._call_id})
