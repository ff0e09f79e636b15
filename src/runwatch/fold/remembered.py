"""The last model calls, findable by request id, by call id, and by writer and number.

No I/O, no formatting; counts nothing itself.

A hundred thousand calls must not weigh on a small process: each is packed into some hundred bytes, and ids are kept as
64-bit hashes: that two of 100,000 are the same happens once in some billion runs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import msgspec

from runwatch.fold.call import Call
from runwatch.fold.ledger import Cell
from runwatch.fold.usage import Raw, normalized

_Packed = tuple[
    str, int, str | None, Raw | None, int | None, int | None, bool, str | None, bool, bool, bool, str | None,
    str | None, int | None,
]  # fmt: skip
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


class RememberedCalls:
    """At most ``limit`` calls; the oldest is forgotten first. A call that was found must be kept again once changed."""

    __slots__ = ("_call_ids", "_cells", "_limit", "_next", "_numbers", "_packed", "_refs", "_request_ids")

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._next = 0
        self._numbers: dict[int, int] = {}
        """Hash of a call id or request id to the number of the call."""
        self._refs: dict[int, int] | None = None
        """Hash of writer and number in it to the number of the call; made when the first price is told."""
        # Rings: a call lies at its number modulo the limit.
        self._packed: list[bytes] = []
        self._cells: list[Cell] = []
        self._call_ids = array("q")
        self._request_ids = array("q")

    def __len__(self) -> int:
        return len(self._packed)

    def add(self, call: Call, call_id: str | None) -> None:
        """Remember a call under all names that it has."""
        number = call.number = self._next
        self._next = number + 1
        called = 0 if call_id is None else hash(call_id)
        requested = 0 if call.request_id is None else _request(call.request_id)
        if number < self._limit:
            self._packed.append(_pack(call))
            self._cells.append(call.cell)
            self._call_ids.append(called)
            self._request_ids.append(requested)
        else:
            at = number % self._limit
            self._forget(at, number - self._limit)
            self._packed[at], self._cells[at] = _pack(call), call.cell
            self._call_ids[at], self._request_ids[at] = called, requested
        if called:
            self._numbers[called] = number
        if requested:
            self._numbers[requested] = number
        if self._refs is not None and call.seq is not None:
            self._refs[hash((call.writer, call.seq))] = number

    def keep(self, call: Call) -> None:
        """Remember what changed of a call that was found here; a request id may join its names."""
        if call.number < self._next - self._limit:
            return
        at = call.number % self._limit
        self._packed[at] = _pack(call)
        if call.request_id is not None and not self._request_ids[at]:
            self._request_ids[at] = name = _request(call.request_id)
            self._numbers[name] = call.number

    def by_request(self, request_id: str) -> Call | None:
        """Return the call with a request id."""
        return self._find(_request(request_id))

    def by_call(self, call_id: str) -> Call | None:
        """Return the last attempt of a call id."""
        return self._find(hash(call_id))

    def forget_call_id(self, call_id: str) -> None:
        """Make a call id free for another call."""
        self._numbers.pop(hash(call_id), None)

    def by_ref(self, ref: str) -> Call | None:
        """Return the call that an ``llm.priced`` names."""
        writer, _, seq = ref.rpartition(":")
        if writer and seq.isdecimal():
            if self._refs is None:
                self._refs = {hash((call.writer, call.seq)): call.number for call in self.all()}
            number = self._refs.get(hash((writer, int(seq))), -1)
            if number >= self._next - self._limit and number >= 0:
                return self._at(number)
        return self.by_request(ref)

    def all(self) -> Iterator[Call]:
        """Yield the remembered calls, the oldest first."""
        for number in range(max(0, self._next - self._limit), self._next):
            yield self._at(number)

    @property
    def added(self) -> int:
        """How many calls were ever added: the number of the next."""
        return self._next

    def numbered(self, numbers: Iterable[int]) -> Iterator[Call]:
        """Yield those of the numbered calls that are still remembered."""
        return (self._at(number) for number in numbers if number >= self._next - self._limit)

    def _find(self, name: int) -> Call | None:
        number = self._numbers.get(name)
        return None if number is None else self._at(number)

    def _at(self, number: int) -> Call:
        at = number % self._limit
        call = Call(self._cells[at], *_decode(self._packed[at]))
        call.number = number
        call.counts = normalized(call.raw)
        return call

    def _forget(self, at: int, number: int) -> None:
        if self._refs is not None:
            old = self._at(number)
            self._refs.pop(hash((old.writer, old.seq)), None)
        for name in (self._call_ids[at], self._request_ids[at]):
            if self._numbers.get(name) == number:
                del self._numbers[name]


def _request(request_id: str) -> int:
    return hash(("request", request_id))


def _pack(call: Call) -> bytes:
    return _encode(
        (
            call.result,
            call.attempt,
            call.ts,
            call.raw,
            call.duration,
            call.pico,
            call.is_priced,
            call.prices,
            call.is_recorded,
            call.is_announced,
            call.is_notice,
            call.request_id,
            call.writer,
            call.seq,
        )
    )
