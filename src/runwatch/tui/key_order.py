"""Keys one after the other: the next one waits until all that the one before led to has been done.

Must not know what a key means.
"""

from __future__ import annotations

import asyncio
from collections import deque

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

from runwatch.tui.control import Outcome

_PATIENCE_S = 2.0
"""A widget that is busy for longer does not keep the others' keys."""
_TURNS = 4
"""How often the focus may pass on, a key, before the next one goes wherever it is then."""


class KeyOrderApp(App[Outcome]):
    """An app whose keys never overtake what they ask for.

    Textual sends a key to whoever has the focus when it comes, and runs what it is bound to later. Of a burst, such as
    a paste or a slow line brings, all would go to the log, though the first one opens the field the others are for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys_waiting: deque[events.Event] = deque()
        self._key_settles: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        """Take the terminal's keys in turn; everything else as it comes."""
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._keys_waiting.append(event)
            await self._next_key()
        else:
            await super().on_event(event)

    def simulate_key(self, key: str) -> None:
        """Press a key on somebody's behalf, before those that came after what asked for it."""
        self._keys_waiting.appendleft(events.Key(key, None))
        self.call_later(self._next_key)

    async def _next_key(self) -> None:
        """Hand a key on, unless the one before is still being done."""
        if self._key_settles is None and self._keys_waiting:
            event, before = self._keys_waiting.popleft(), self._key_receiver()
            await super().on_event(event)
            self._key_settles = asyncio.create_task(self._settle(before))

    def _key_receiver(self) -> MessagePump:
        return self.focused or self.screen

    async def _settle(self, receiver: MessagePump) -> None:
        """Wait until a key has gone its way, and so has every focus that it passed on."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for _ in range(_TURNS):
                    await _gone_through(receiver)
                    former, receiver = receiver, self._key_receiver()
                    if receiver is former:
                        break
        except TimeoutError:
            self.log.warning(f"a key took {receiver} longer than {_PATIENCE_S:g} s")
        finally:
            self._key_settles = None
            self.call_later(self._next_key)


async def _gone_through(receiver: MessagePump) -> None:
    """Wait until a widget, those around it and the app have done all they were told by now, in that order.

    What they do last is to move the focus, which Textual leaves to the app: it is asked twice.
    """
    way, node = [receiver], receiver._parent
    while node is not None:
        way.append(node)
        node = node._parent
    for pump in (*way, receiver.app, receiver.app):
        done = asyncio.Event()
        if not pump.call_later(done.set):
            continue  # it is gone, and what it had to do was done before
        done_or_gone = {asyncio.create_task(done.wait())}
        try:
            await asyncio.wait({*done_or_gone, *filter(None, [pump._task])}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in done_or_gone:
                each.cancel()
