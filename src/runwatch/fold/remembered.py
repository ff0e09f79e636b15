"""The last model calls, findable by request id, by writer and number, and by call id.

No I/O, no formatting; counts nothing itself.
"""

from __future__ import annotations

from collections import deque

from runwatch.fold.call import Call


class RememberedCalls:
    """At most ``limit`` calls; the oldest is forgotten first."""

    __slots__ = ("_by_number", "_limit", "_order", "by_call", "by_request")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._order: deque[Call] = deque()
        self.by_request: dict[str, Call] = {}
        self.by_call: dict[str, Call] = {}
        self._by_number: dict[tuple[str, int], Call] = {}

    def add(self, call: Call) -> None:
        """Remember a call under all names that it has."""
        if call.request_id is not None:
            self.by_request[call.request_id] = call
        if call.call_id is not None:
            self.by_call[call.call_id] = call
        if call.writer is not None and call.seq is not None:
            self._by_number[call.writer, call.seq] = call
        self._order.append(call)
        if len(self._order) > self._limit:
            self._forget(self._order.popleft())

    def find(self, ref: str) -> Call | None:
        """Return the call that an ``llm.priced`` names."""
        writer, _, number = ref.rpartition(":")
        if writer and number.isdecimal() and (call := self._by_number.get((writer, int(number)))) is not None:
            return call
        return self.by_request.get(ref)

    def all(self) -> deque[Call]:
        """Return the remembered calls, the oldest first. Must not be changed."""
        return self._order

    def _forget(self, call: Call) -> None:
        if call.request_id is not None and self.by_request.get(call.request_id) is call:
            del self.by_request[call.request_id]
        if call.call_id is not None and self.by_call.get(call.call_id) is call:
            del self.by_call[call.call_id]
        if call.writer is not None and call.seq is not None:
            self._by_number.pop((call.writer, call.seq), None)
