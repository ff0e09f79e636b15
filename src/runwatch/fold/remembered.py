"""The last model calls, findable by request id, by call id, and by writer and number.

No I/O, no formatting; counts nothing itself.

A hundred thousand calls must not weigh on a small process: with all that a late line may correct, each takes some
forty bytes (``blocks``, ``names``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from runwatch.fold.blocks import Blocks
from runwatch.fold.call import Call
from runwatch.fold.ledger import Cell
from runwatch.fold.names import Names
from runwatch.fold.usage import Raw, normalized

_Packed = tuple[
    int, int, str, int, str | None, int, Raw | None, int | None, int | None, bool, str | None, bool, bool, bool, bool,
    str | None, str | None, int | None,
]  # fmt: skip
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Packed]).decode
_IN_TURN = 8
"""Prices are told in the order of their calls; between two of them may be calls that have none."""


class RememberedCalls:
    """At most ``limit`` calls; the oldest is forgotten first. A call that was found must be kept again once changed."""

    __slots__ = ("_call_ids", "_calls", "_cells", "_limit", "_next", "_priced", "_refs", "_request_ids")

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._next = 0
        self._calls: Blocks[Call] = Blocks(self._pack, self._unpack)
        self._cells: list[Cell] = []
        """By their number: a packed call tells its cell by that."""
        self._call_ids = Names(self._limit)
        self._request_ids = Names(self._limit)
        self._refs: Names | None = None
        """By writer and number in it; made when the first price is told out of turn."""
        self._priced = -1
        """Number of the call whose price was told last."""

    def __len__(self) -> int:
        return min(self._next, self._limit)

    def add(self, call: Call, call_id: str | None) -> None:
        """Remember a call under all names that it has."""
        number = call.number = self._next
        self._next = number + 1
        if call.cell.number < 0:
            self._know(call.cell)
        self._calls.append(call)
        if number >= self._limit:
            self._calls.forget_before(self._next - self._limit)
        if call_id is not None:
            self._call_ids.set(number, call_id)
        else:
            self._call_ids.skip(number)
        if call.request_id is not None:
            self._request_ids.set(number, call.request_id)
        else:
            self._request_ids.skip(number)
        if self._refs is not None:
            self._refer(self._refs, call)

    def keep(self, call: Call) -> None:
        """Remember what changed of a call that was found here."""
        number = call.number
        if number < self._next - self._limit:
            return
        if call.cell.number < 0:
            self._know(call.cell)
        self._calls[number] = call

    def name(self, call: Call, request_id: str) -> None:
        """Find a call by a request id too that was learned now; one that had it is found by it no longer."""
        if call.number >= self._next - self._limit:
            self._request_ids.set(call.number, request_id)

    def by_request(self, request_id: str) -> Call | None:
        """Return the call with a request id."""
        return self._find(self._request_ids, request_id)

    def by_call(self, call_id: str) -> Call | None:
        """Return the last attempt of a call id."""
        return self._find(self._call_ids, call_id)

    def forget_call_id(self, call_id: str) -> None:
        """Make a call id free for another call."""
        self._call_ids.drop(call_id)

    def by_ref(self, ref: str) -> Call | None:
        """Return the call that an ``llm.priced`` names."""
        writer, _, seq = ref.rpartition(":")
        if writer and seq.isdecimal():
            following = self._in_turn(writer, int(seq))
            if following is not None:
                return following
            if self._refs is None:
                self._refs = Names(self._limit)
                for call in self.all():
                    self._refer(self._refs, call)
            found = self._find(self._refs, (writer, int(seq)))
            if found is not None:
                return found
        return self.by_request(ref)

    def _know(self, cell: Cell) -> None:
        cell.number = len(self._cells)
        self._cells.append(cell)

    def _in_turn(self, writer: str, seq: int) -> Call | None:
        """Return the call, where it is among those that follow the one whose price was told before."""
        first = max(self._priced + 1, self._next - self._limit)
        for number in range(first, min(first + _IN_TURN, self._next)):
            call = self._calls[number]
            if call.seq == seq and call.writer == writer:
                self._priced = number
                return call
        return None

    def all(self) -> Iterator[Call]:
        """Yield the remembered calls, the oldest first."""
        return self.numbered(range(max(0, self._next - self._limit), self._next))

    @property
    def added(self) -> int:
        """How many calls were ever added: the number of the next."""
        return self._next

    def numbered(self, numbers: Iterable[int]) -> Iterator[Call]:
        """Yield those of the numbered calls that are still remembered."""
        return (self._calls[number] for number in numbers if number >= self._next - self._limit)

    def _find(self, names: Names, name: str | tuple[str | None, int | None]) -> Call | None:
        number = names.find(name, self._next)
        return None if number is None or number < 0 else self._calls[number]

    @staticmethod
    def _refer(refs: Names, call: Call) -> None:
        if call.seq is None:
            refs.skip(call.number)
        else:
            refs.set(call.number, (call.writer, call.seq))

    def _pack(self, calls: list[Call]) -> bytes:
        return _encode(
            [
                (
                    call.number,
                    call.cell.number,
                    call.result,
                    call.attempt,
                    call.ts,
                    call.attempt_of_agent,
                    call.raw,
                    call.duration,
                    call.pico,
                    call.is_priced,
                    call.prices,
                    call.is_recorded,
                    call.is_announced,
                    call.is_notice,
                    call.is_retry,
                    call.request_id,
                    call.writer,
                    call.seq,
                )
                for call in calls
            ]
        )

    def _unpack(self, packed: bytes) -> list[Call]:
        calls = []
        for row in _decode(packed):
            call = Call(self._cells[row[1]], *row[2:])
            call.number = row[0]
            call.counts = normalized(call.raw)
            calls.append(call)
        return calls
